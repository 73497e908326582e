"""Records of small studies built from rows, with ordinary and unusual names, for tables and figures."""

import random
from dataclasses import replace
from datetime import UTC, datetime

from search_spaces import FAMILIES
from search_spaces.ranges import Choice, Float, Integer
from study.objective import Engine, Metric
from study.reports.measure import Measure
from study.storage.settings import Settings
from study.storage.study_record import Session, StudyRecord
from study.storage.trial_record import Place, Seeds, TrialRecord

ERROR = Measure("val_error", "fraction of rows")

NAMES = list(FAMILIES)

LONG = ["a_family_of_schedules_with_a_long_name", "a label that goes on for ever, and then some more"]

ODD = ["a<b>&c", "_under_score", "$x_1$ and $y$", '"quoted" \\alpha', "warm_restarts"]

VALUES = {name: [0.3 + 0.01 * place + 0.002 * seed**2 for seed in range(5)] for place, name in enumerate(NAMES)}

TRIAL = TrialRecord(
    number=0,
    complete=True,
    value=0.5,
    params={"family": "rex", "peak_lr": 0.1},
    reported={2: 0.6, 20: 0.5},
    place=Place(bracket=0, size=50, position=0, batch=0),
    seeds=Seeds(0, 0, 0),
    torch_arguments={"warmup_steps": 0, "scheduler": "LambdaLR"},
    epochs_used={2: 2.0, 20: 20.0},
    cohorts={2: 1, 20: 1},
    engine="loop",
    too_large=(),
    best_epoch=20.0,
    diverged=False,
    audited_from=None,
    seconds=1.5,
)

SETTINGS = Settings(
    dataset="digits",
    model="mlp",
    optimizer="sgd",
    weight_decay=0.0005,
    batch_size=64,
    device="cpu",
    epochs=20,
    budgets=(2, 20),
    families=(),
    space={"family": Choice((*NAMES, *ODD, *LONG)), "peak_lr": Float(1e-5, 5.0, log=True)},
    sampler="gp",
    sampler_seed=0,
    startup_trials=20,
    pruner="horizon",
    reduction=5,
)

SESSION = Session(
    time=datetime(2026, 11, 26, tzinfo=UTC),
    command="python scripts/search.py",
    commit="0123456789ab",
    python="3.11.7",
    versions={"torch": "2.15.0", "optuna": "5.0.0"},
    platform="Linux",
    device="a processor",
    threads=1,
)


def study_record(trials=(), direction="minimize", name="example", settings=SETTINGS, **others):
    """A study of these trials, numbered anew in the order in which they are asked."""
    given = {
        "group": name,
        "workload": "digits-mlp-sgd",
        "metric": Metric("error", direction, "fraction of rows", 1.0),
        "steps_per_epoch": 16,
        "optimizer_code": "torch.optim.SGD(model.parameters(), lr={lr})",
        "validation_rows": 800,
        "engine": Engine(),
        "sessions": (SESSION,),
        "confirmed": None,
        "unfinished": 0,
        "stored": {},
    } | others
    numbered = tuple(
        replace(trial, number=number, place=replace(trial.place, position=number))
        for number, trial in enumerate(trials)
    )
    return StudyRecord(name=name, settings=settings, trials=numbered, **given)


def ended(value, full=None, **others):
    """A finished trial with this value after 2 epochs and, if it is complete, that one after 20."""
    changes = {"complete": False, "value": value, "reported": {2: value}, "epochs_used": {2: 2.0}}
    if full is not None:
        changes = {"complete": True, "value": full, "reported": {2: value, 20: full}, "epochs_used": {2: 2.0, 20: 20.0}}
    return replace(TRIAL, **changes, **others)


def row(family, peak_lr, value, full=None, diverged=False):
    """Such a trial of a family."""
    return ended(value, full, params={"family": family, "peak_lr": peak_lr}, diverged=diverged)


def study_of(rows, tried=(), direction="minimize"):
    """A study of these trials, in which these families were to be tried."""
    return study_record(rows, direction, settings=replace(SETTINGS, families=tuple(tried)))


RANGES = {
    "family": Choice(("cosine", "linear", "rex")),
    "peak_lr": Float(1e-3, 5.0, log=True),
    "warmup_fraction": Float(0.005, 0.2, log=True),
    "cosine.floor_ratio": Float(0.0, 0.3),
    "drops": Integer(1, 4),
    "cycles": Integer(2, 8),
}


def ranged(rows, direction="minimize", budgets=(2, 20)):
    """A study of these trials over RANGES."""
    return study_record(rows, direction, settings=replace(SETTINGS, space=RANGES, budgets=budgets))


def draws(n, seed=0):
    """Parameters at random: half have a warm-up, one has cycles."""
    rng = random.Random(seed)
    for number in range(n):
        params = {"family": rng.choice(["cosine", "linear", "rex"]), "peak_lr": 10 ** rng.uniform(-2.9, 0.6)}
        yield (
            params
            | ({"warmup_fraction": rng.uniform(0.01, 0.2)} if number % 2 else {})
            | ({"cycles": 3} if number == 7 else {})
        )
