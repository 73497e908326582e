"""What only a GPU can show: that it agrees with the CPU, that its memory bounds a cohort, and how fast it is."""
