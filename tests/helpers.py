"""Searches over a small real workload, and scripts as processes."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from optuna.trial import TrialState

from study.evidence.searches.record import record
from study.executors.choice import Engine
from study.search.configuration import Configuration
from study.search.search import search
from study.storage.provenance import provenance
from study.storage.studies import open_study
from study.training.lockstep import Lockstep
from study.workloads.datasets import Source

ROOT = Path(__file__).parent.parent

SMALL = Configuration(
    dataset="digits",
    epochs=4,
    rung_fractions=(0.25,),
    least_updates=1,
    reduction=4,
    sampler="tpe",
    startup_trials=10,
    trials_per_batch=5,
    trials_per_generation=10,
)
"""The digits data, 16 updates an epoch, rungs at 1 and 4 epochs: a trial takes a tenth of a second."""

LOOP, LOCKSTEP = Engine(), Engine(cohort=5)


def open_small(storage, workload, configuration=SMALL, name="small"):
    """Open a study of the small workload, as scripts/search.py does."""
    attributes = {"group": name, **workload.attributes()}
    return open_study(storage, name, configuration.resolved(workload), attributes, provenance(workload.device))


def run_search(storage, workload, trials, configuration=SMALL, name="small", engine=LOOP):
    """Search to the end, and return the trials that the study holds."""
    with open_small(storage, workload, configuration, name) as optuna_study:
        for _ in search(optuna_study, workload, configuration, engine, trials):
            pass
        return optuna_study.get_trials()


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
    parts = record(configuration, workload, per_family, judge_seeds=2, cohort=cohort)
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
