"""Searches over a small real workload, and scripts as processes."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from optuna.trial import TrialState

from search_spaces import Constant, Cosine
from study.assembly import opened, plan_search
from study.evidence.searches.record import record
from study.executors.in_process import InProcess
from study.executors.options import ExecutorOptions
from study.objective import Engine, Run
from study.search.configuration import Configuration
from study.training.lockstep import Lockstep
from study.training.workload_objective import WorkloadObjective
from study.workloads.datasets import Source
from study.workloads.options import WorkloadOptions

ROOT = Path(__file__).parent.parent

DRAWN_WITH = re.search(r"^matplotlib==(.+)$", (ROOT / "constraints.txt").read_text(), re.M)[1]
"""The version of matplotlib that drew the committed figures."""

DIGITS = WorkloadOptions(dataset="digits")
SMALL = Configuration(
    epochs=4,
    rung_fractions=(0.25,),
    least_steps=1,
    reduction=4,
    sampler="tpe",
    startup_trials=10,
    trials_per_batch=5,
    trials_per_bracket=10,
)
"""On the digits data, 16 steps an epoch, rungs at 1 and 4 epochs: a trial takes a tenth of a second."""

LOOP, LOCKSTEP = Engine(), Engine(cohort=5)


def trainer(workload, cohort=1):
    """What trains runs of a workload in this process."""
    return InProcess(WorkloadObjective(workload), cohort)


def small_plan(storage, workload, configuration=SMALL, name="small"):
    """The plan of a study of the small workload."""
    return plan_search(DIGITS, WorkloadObjective(workload), configuration, storage, name)


def open_small(storage, workload, configuration=SMALL, name="small", engine=LOOP):
    """Open a study of the small workload, as scripts/search.py does; a new one has this engine."""
    return opened(small_plan(storage, workload, configuration, name), ExecutorOptions(), engine)


def run_search(storage, workload, trials, configuration=SMALL, name="small", engine=LOOP, executor=None):
    """Search to the end, and return the trials that the study holds. executor: one that is not made by the engine."""
    with open_small(storage, workload, configuration, name, engine) as study:
        study.executor = executor or study.executor
        for _ in study.search(trials):
            pass
        return study.optuna_study.get_trials()


def runs_of(*peaks, epochs=2, seeds=(0,)):
    """A run for each peak."""
    return [Run(Cosine(peak_lr=peak), epochs, seeds[i % len(seeds)], evaluations=2) for i, peak in enumerate(peaks)]


ENDLESS = Run(Constant(peak_lr=0.1), 10**6, 0, evaluations=1)
"""A run that nobody waits for."""


def by_run(evaluations):
    """In the order of the runs, and of their steps."""
    return sorted(evaluations, key=lambda evaluation: (evaluation.run, evaluation.step))


def process_of(objective):
    """The number of the process that trains the objective, for workers to call."""
    return os.getpid()


def alive(process):
    """Whether a process of this number runs; one that has ended but was not collected does not."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(true, seconds=60, why=""):
    """Wait until this becomes true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.05)


@dataclass
class Result:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def start(script, *arguments, cwd):
    """Start a script as a process of its own."""
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def substance(trial):
    """A trial without its number and its times: what must be the same in the same study."""
    record = {key: value for key, value in trial.user_attrs["record"].items() if key != "seconds"}
    return trial.state, trial.values, trial.params, trial.intermediate_values, {**trial.user_attrs, "record": record}


def finished(trials):
    return [substance(trial) for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def recorded_runs(configuration, workload, per_family=2, cohort=3):
    objective = WorkloadObjective(workload)
    parts = record(DIGITS, objective, configuration, InProcess(objective, cohort), per_family, confirm_seeds=2)
    lines = []
    while True:
        try:
            lines.append(next(parts))
        except StopIteration as end:
            return end.value, lines


class Crowded(Lockstep):
    """Memory for three runs: a larger cohort fails, at its start or in its twentieth update."""

    fails_after = 0

    def update(self, x, y):
        if len(self.optimizers) > 3 and self.stacked.steps >= self.fails_after:
            raise torch.OutOfMemoryError("CUDA out of memory (of this test)")
        return super().update(x, y)


def read(name, **options):
    return Source(str(name), **options).read(None, 0)
