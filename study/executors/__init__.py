"""Executors: train cohorts in this process or in worker processes, or look them up in recorded runs."""
