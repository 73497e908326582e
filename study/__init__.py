"""How schedules are searched: workloads, the training loop, the search, and what is kept of it."""
