"""The peer that our search is compared with: Ray Tune with OptunaSearch and ASHAScheduler, on this machine.

Set up as documented (one trial per core, reduction factor 4, grace period 1), except for two settings that make it
faster on short runs: actors are reused, and as many trials may be pending as there are cores.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import optuna
import torch
from optuna.samplers import TPESampler

from search_spaces import InputError, Ranges, from_params, suggest
from study.evidence.speed.studies import StudyOutcome, TriedSchedule
from study.executors.in_process import InProcess
from study.executors.ray_cluster import own_ray
from study.machine import usable_cores
from study.objective import Objective, Run
from study.search.configuration import Configuration
from study.search.study_plan import StudyPlan

SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a table even at verbosity 0
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # otherwise Ctrl-C ends the search as if it were complete
}
"""Environment variables that make Ray Tune quiet and interruptible."""


def ray_study(plan: StudyPlan, trials: int) -> StudyOutcome:
    """A `StudyMaker`: search the space of the plan with Ray. The seconds include starting its actors, but not Ray."""
    with local_ray() as folder:
        began = time.perf_counter()
        tried = ray_trials(plan.objective, plan.configuration, trials, folder)
        return StudyOutcome.of(tried, plan.objective.metric, time.perf_counter() - began)


@contextmanager
def local_ray(cores: int | None = None) -> Iterator[str]:
    """Start Ray on the cores of this machine, without output; yields the temporary directory for all its files.

    cores: how many it uses; None for all. As many short trials may be pending: otherwise they leave cores idle.
    """
    require_ray_tune()
    cores = cores or usable_cores()
    with own_ray(cores, **SETTINGS, TUNE_MAX_PENDING_TRIALS_PG=str(cores)) as folder:
        yield folder


def require_ray_tune() -> None:
    """Raise InputError unless Ray Tune is installed: Ray comes without it."""
    try:
        import ray.tune.search.optuna  # noqa: F401
    except ImportError as error:
        raise InputError("this needs Ray Tune: pip install -e '.[peers]'") from error


def ray_trials(objective: Objective, configuration: Configuration, trials: int, folder: str) -> list[TriedSchedule]:
    """Run this many trials, returned in the order of suggestion. Ray must be running; folder: for its files.

    We do not use Ray's get_best_result to choose the winner: it compares the last values of all trials regardless of
    their length, or, with scope="all", the best epoch of each, which is partly noise.
    """
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    epochs = configuration.epochs
    goal = {"metric": objective.metric.name, "mode": objective.metric.direction.removesuffix("imize")}
    ranges = configuration.space_file.ranges
    space = partial(suggest_only, families=configuration.families, peak_lr=objective.peak_lr, ranges=ranges)
    train = tune.with_parameters(train_one, objective=objective, epochs=epochs, train_seed=configuration.train_seed)
    tuning = tune.TuneConfig(
        search_alg=OptunaSearch(space, sampler=TPESampler(seed=configuration.sampler_seed), **goal),
        scheduler=ASHAScheduler("epoch", max_t=epochs, grace_period=1, reduction_factor=4, **goal),
        num_samples=trials,
        reuse_actors=True,  # otherwise each trial starts Python and imports torch, which takes seconds
    )
    running = tune.RunConfig(storage_path=folder, verbose=0, failure_config=tune.FailureConfig(fail_fast=True))
    results = tune.Tuner(tune.with_resources(train, {"cpu": 1}), tune_config=tuning, run_config=running).fit()
    if results.errors:
        raise results.errors[0]
    last = [(result.config, result.metrics["epoch"], result.metrics[goal["metric"]]) for result in results]
    return [TriedSchedule(params, reached, reached == epochs, value) for params, reached, value in last]


def suggest_only(trial: Any, families: Sequence[str], peak_lr: tuple[float, float], ranges: Ranges) -> None:
    """Our search space in the form that OptunaSearch requires: a function that returns nothing."""
    suggest(trial, families, peak_lr, ranges)


def train_one(params: Mapping[str, Any], objective: Objective, epochs: int, train_seed: int) -> None:
    """The trainable that Ray calls in an actor: our training loop on one thread, reporting every evaluation.

    A diverged run reports the worst value and ends. Plateau is evaluated when it observes the loss.
    """
    from ray import tune

    torch.set_num_threads(1)
    for evaluation in InProcess(objective).train([Run(from_params(params), epochs, train_seed, evaluations=epochs)]):
        epoch = evaluation.step / objective.steps(1)
        tune.report({"epoch": epoch, objective.metric.name: evaluation.metric})
