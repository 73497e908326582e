"""The families of schedules, one file each."""
