"""Which schedules are tried, and for how long: bracket, rungs, pruners, samplers, confirming."""
