"""Comparisons of search methods, on recorded or live workloads."""
