"""How fast a whole study is: ours against the one that people build of a tutorial, and what a trial costs besides."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import optuna

from search_spaces import InputError, from_params
from study.executors.choice import EngineOptions, agree
from study.search.configuration import Configuration
from study.search.confirm import FIRST_FRESH_SEED, confirm
from study.search.search import search
from study.storage.provenance import provenance
from study.storage.records import best_trial, finished_trials
from study.storage.studies import open_study
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Entrant:
    """A way of making a study. make: of a workload, with a configuration, so many trials, in an SQLite file."""

    name: str
    configuration: Configuration
    make: Callable[[Workload, Configuration, int, Path], optuna.Study]


@dataclass(frozen=True)
class Raced:
    """One study: its wall time, and the test error of its winner, a mean over fresh training seeds.

    outside: share of the wall time that was not training, where the trials tell.
    """

    study: str
    search_seed: int
    seconds: float
    outside: float | None
    error: float


def race(entrant: Entrant, workload: Workload, trials: int, seed: int, confirm_seeds: int, database: Path) -> Raced:
    """Make the study in a new SQLite file, and judge its winner; raises InputError where there is none."""
    configuration = replace(entrant.configuration, sampler_seed=seed)
    began = time.perf_counter()
    optuna_study = entrant.make(workload, configuration, trials, database)
    seconds = time.perf_counter() - began
    found = optuna_study.get_trials(deepcopy=False)
    best = best_trial(optuna_study, found)
    if best is None:
        raise InputError(f"no trial of {entrant.name} ran to its end: give more --trials")
    fresh = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + confirm_seeds)
    error = mean(confirm(workload, from_params(best.params), configuration.epochs, fresh, cohort=confirm_seeds))
    training = [trial.user_attrs["record"]["seconds"] for trial in found if "record" in trial.user_attrs]
    return Raced(entrant.name, seed, seconds, 1 - sum(training) / seconds if training else None, error)


def our_study(
    workload: Workload, configuration: Configuration, trials: int, database: Path
) -> tuple[optuna.Study, list[float]]:
    """Search as scripts/search.py does; (the study, now of nobody; when the search began and each generation ended)."""
    attributes = {"group": "benchmark", **workload.attributes()}
    resolved, session = configuration.resolved(workload), provenance(workload.device)
    with open_study(f"sqlite:///{database}", "ours", resolved, attributes, session) as optuna_study:
        engine, _ = agree(optuna_study, EngineOptions(), workload, configuration)
        moments = [time.perf_counter()]
        for generation in search(optuna_study, workload, configuration, engine, trials):
            if generation.finished:
                moments.append(time.perf_counter())
        return optuna_study, moments


def overhead(workload: Workload, configuration: Configuration, at: Sequence[int], database: Path) -> dict[int, float]:
    """Seconds outside training per trial, in the generations that end at these trials of one study, by trial.

    at: ascending; the last is the length of the study.
    """
    optuna_study, moments = our_study(workload, configuration, at[-1], database)
    records = [trial.user_attrs["record"] for trial in finished_trials(optuna_study)]
    costs = {}
    for end in at:
        number = math.ceil(end / configuration.generation_size(workload.steps_per_epoch)) - 1
        training = [record["seconds"] for record in records if record["place"]["generation"] == number]
        costs[end] = (moments[number + 1] - moments[number] - sum(training)) / len(training)
    return costs
