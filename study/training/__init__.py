"""Training of a workload's runs, one by one or in lockstep."""
