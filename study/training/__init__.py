"""Objectives: our training loop over a workload, run by run or in lockstep."""
