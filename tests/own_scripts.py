"""What tests of a user's script share: programs, and a run of one."""

import time

import psutil

from search_spaces import Linear
from tests.own_training import run_request

SCHEDULE = Linear(peak_lr=0.05)
REPORTS = """
import sys
from study.script import report
peak_lr, epochs, seed = map(float, sys.argv[1:])
for epoch in range(1, 1 + int(epochs)):
    print("epoch", epoch, flush=True)
    report(val_error=1 / (1 + epoch * peak_lr + seed), test_error=0.5)
"""
"""Hands the peak over by itself; needs no torch."""


def reported(trainer, budget=3, left=lambda: False, schedule=SCHEDULE, **others):
    return list(trainer.run(run_request(schedule, budget, **others), left))


def gone(pid):
    """Whether the process ends within some seconds."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False
