"""What is written of studies and benchmarks: a pure function of the stored records."""
