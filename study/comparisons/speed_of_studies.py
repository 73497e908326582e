"""How fast a whole study is: ours against the one that people build of a tutorial, and what a trial costs besides."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from optuna.trial import FrozenTrial

from search_spaces import InputError, from_params
from study.comparisons.tutorial import tutorial_study
from study.configuration import Configuration
from study.engine import EngineOptions, agree
from study.provenance import provenance
from study.records import best_trial, finished_trials
from study.search import search
from study.storage import open_study
from study.training.confirm import FIRST_FRESH_SEED, confirm
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Race:
    """One search seed: the wall time of both studies, and the test error of their winners.

    outside: share of our wall time that was not training. error, tutorial_error: mean over fresh training seeds.
    """

    search_seed: int
    seconds: float
    outside: float
    error: float
    tutorial_seconds: float
    tutorial_error: float


def race(
    workload: Workload, configuration: Configuration, trials: int, seed: int, confirm_seeds: int, folder: Path
) -> Race:
    """Run both studies with the same space, trials and seed, each to a new SQLite file; confirm both winners."""
    configuration = replace(configuration, sampler_seed=seed)
    began = time.perf_counter()
    trials_of_ours, _ = our_study(workload, configuration, trials, folder / f"ours-{seed}.db")
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    theirs = tutorial_study(workload, configuration, trials, f"sqlite:///{folder / f'tutorial-{seed}.db'}")
    tutorial_seconds = time.perf_counter() - began
    ours = best_trial(theirs, trials_of_ours)  # the same direction

    def error(best: FrozenTrial) -> float:
        fresh = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + confirm_seeds)
        return mean(confirm(workload, from_params(best.params), configuration.epochs, fresh, cohort=confirm_seeds))

    if ours is None:
        raise InputError("no trial of this project's study ran to its end: give more --trials")
    training = sum(trial.user_attrs["record"]["seconds"] for trial in trials_of_ours)
    return Race(seed, seconds, 1 - training / seconds, error(ours), tutorial_seconds, error(theirs.best_trial))


def our_study(
    workload: Workload, configuration: Configuration, trials: int, database: Path
) -> tuple[list[FrozenTrial], list[float]]:
    """Search as scripts/search.py does by default; (the trials, when the search began and each generation ended)."""
    attributes = {"group": "benchmark_speed", **workload.attributes()}
    resolved, session = configuration.resolved(workload), provenance(workload.device)
    with open_study(f"sqlite:///{database}", "ours", resolved, attributes, session) as optuna_study:
        engine, _ = agree(optuna_study, EngineOptions(), workload, configuration)
        moments = [time.perf_counter()]
        for generation in search(optuna_study, workload, configuration, engine, trials):
            if generation.finished:
                moments.append(time.perf_counter())
        return finished_trials(optuna_study), moments


def overhead(
    workload: Workload, configuration: Configuration, trials: int, at: Sequence[int], folder: Path
) -> list[float]:
    """Seconds outside training per trial, in the generations that end at these trials of one long study."""
    found, moments = our_study(workload, configuration, trials, folder / "long.db")
    records = [trial.user_attrs["record"] for trial in found]
    costs = []
    for number in (math.ceil(end / configuration.generation_size(workload.steps_per_epoch)) - 1 for end in at):
        training = [record["seconds"] for record in records if record["place"]["generation"] == number]
        costs.append((moments[number + 1] - moments[number] - sum(training)) / len(training))
    return costs
