"""Published claims, checked against our benchmarks."""
