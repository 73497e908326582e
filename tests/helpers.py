"""What tests share: a small real workload, searches over it, and the scripts as a user calls them."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import optuna
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from search_spaces import FAMILIES
from study.evidence.searches.record import record
from study.executors.choice import Engine
from study.reports.figures import Measure
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


ARGUMENTS = ["--dataset", "digits", "--epochs", 4, "--rung-fractions", 0.25, "--least-updates", 1, "--study", "killed"]


def ask(folder, query):
    """The number that the database answers with; 0 where there is no database yet."""
    path = folder / "results" / "studies.db"
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            return connection.execute(query).fetchone()[0] or 0
    except sqlite3.OperationalError:
        return 0


def starts(folder):
    """How often the study was started."""
    return ask(folder, "SELECT max(json_array_length(value_json)) FROM study_user_attributes WHERE key = 'sessions'")


def wait_until_training(process, folder, done, start):
    """Wait until the search is in its start of this number and has so many finished trials, or has ended."""
    deadline = time.monotonic() + 120
    while process.poll() is None:
        if starts(folder) >= start and ask(folder, "SELECT count(*) FROM trials") >= done:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)


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


PEAK_LR = (1e-5, 5.0)


every_family = pytest.mark.parametrize("family", FAMILIES)


properties = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class DrawingTrial:
    """An Optuna trial whose sampler is hypothesis."""

    def __init__(self, data):
        self.data, self.params = data, {}

    def draw(self, name, strategy):
        self.params[name] = self.data.draw(strategy, label=name)
        return self.params[name]

    def suggest_float(self, name, low, high, log=False):
        return self.draw(name, st.floats(low, high))

    def suggest_int(self, name, low, high):
        return self.draw(name, st.integers(low, high))

    def suggest_categorical(self, name, choices):
        return self.draw(name, st.sampled_from(choices))


def read(name, **options):
    return Source(str(name), **options).read(None, 0)


ERROR = Measure("val_error", "fraction of rows")


NAMES = list(FAMILIES)
LONG = ["a_family_of_schedules_with_a_long_name", "a label that goes on for ever, and then some more"]
ODD = ["a<b>&c", "_under_score", "$x_1$ and $y$", '"quoted" \\alpha', "warm_restarts"]


VALUES = {name: [0.3 + 0.01 * place + 0.002 * seed**2 for seed in range(5)] for place, name in enumerate(NAMES)}


def row(family, peak_lr, value, full=None, diverged=False):
    """A finished trial with this value after 2 epochs and, if it is complete, that one after 20."""
    return create_trial(
        state=TrialState.PRUNED if full is None else TrialState.COMPLETE,
        value=value if full is None else full,
        params={"family": family, "peak_lr": peak_lr},
        distributions={
            "family": CategoricalDistribution([*NAMES, *ODD, *LONG]),
            "peak_lr": FloatDistribution(1e-5, 5.0, log=True),
        },
        intermediate_values={2: value} if full is None else {2: value, 20: full},
        user_attrs={
            "record": {"diverged": diverged, "epochs_used": {"2": 2} if full is None else {"2": 2, "20": 20}},
        },
    )


def study_of(rows, tried=(), direction="minimize"):
    study = optuna.create_study(direction=direction)
    study.set_user_attr("configuration", {"horizons": [2, 20], "epochs": 20, "families": list(tried)})
    study.set_user_attr("metric", {"name": "error", "unit": "fraction of rows"})
    study.add_trials(rows)
    return study


def texts(svg):
    """Every text of an SVG, which must be well-formed, as a reader sees it."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def dots(svg, gid):
    """How many markers are drawn in the groups whose id starts so, by id."""
    groups = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g")
    return {
        group.get("id"): len(list(group.iter("{http://www.w3.org/2000/svg}use")))
        for group in groups
        if group.get("id", "").startswith(gid)
    }
