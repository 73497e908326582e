"""Results from the literature, compared with our benchmarks."""
