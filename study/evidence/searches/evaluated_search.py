"""Runs one search and evaluates it: what it spent, and the true error of what it would have returned."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import optuna

from search_spaces.errors import InputError, require
from study.evidence.searches.arms import ARMS
from study.evidence.searches.searches import Searches
from study.evidence.searches.testbed import Testbed, testbed_of
from study.evidence.searches.trajectory import Spent, Trajectory, Watched
from study.objective import Executor, Objective
from study.search.configuration import Configuration
from study.search.search import search

MOST_TRIALS = 12
"""A search ends after MOST_TRIALS times the requested trials, even if it has epochs left."""
Unit = Literal["epochs", "seconds"]
"""The unit in which the cost of a search is measured."""


@dataclass(frozen=True)
class Incumbent:
    """What a search would have returned from some moment on.

    epochs, seconds: spent until then. error: the mean test error of its schedule over fresh seeds.
    """

    epochs: float
    seconds: float
    error: float


@dataclass(frozen=True)
class EvaluatedSearch:
    """One search of an arm.

    workload: its name and the length of a full run. epochs, seconds: spent when the requested trials had finished.
    error, family: of the incumbent at that time. lost: whether a schedule tried until then would have beaten it in a
    full run, on the validation rows of the search; None if unknown. overhead: milliseconds per trial outside training,
    None if not timed separately. spent: epochs, at the end of the search. incumbents: all of them, in order.
    """

    workload: str
    arm: str
    search_seed: int
    epochs: float
    seconds: float
    error: float
    lost: bool | None
    family: str
    overhead: float | None
    spent: float
    incumbents: tuple[Incumbent, ...]

    def end(self, unit: Unit) -> float:
        """The cost of the whole search; seconds are extrapolated from the requested trials."""
        if unit == "epochs":
            return self.spent
        return max(self.seconds * self.spent / self.epochs, self.incumbents[-1].seconds)


def watch(
    objective: Objective,
    configuration: Configuration,
    executor: Executor,
    trials: int,
    epochs: float,
    seconds_per_epoch: Mapping[int, float] | None = None,
) -> tuple[Trajectory, Spent]:
    """Search in memory until this many trials are finished and this many epochs spent.

    seconds_per_epoch: see `Watched`. Returns the trajectory, and what was spent when the trials had finished.
    """
    size = min(configuration.trials_per_bracket, trials)  # so that a bracket ends with the trials
    configuration = replace(configuration, trials_per_bracket=size)
    steps_per_epoch = objective.steps(1)
    together = configuration.bracket_size(steps_per_epoch)
    require(trials % together == 0, f"--trials must be a multiple of {together}, the size of a bracket", trials)
    optuna_study = optuna.create_study(direction=objective.metric.direction)
    watched = Watched(executor, steps_per_epoch, seconds_per_epoch or {})
    trajectory, finished = watched.trajectory, None
    with closing(search(optuna_study, objective, configuration, watched, MOST_TRIALS * trials)) as brackets:
        for bracket in brackets:
            if finished is None and bracket.finished and len(optuna_study.get_trials(deepcopy=False)) >= trials:
                finished = trajectory.spent
            if finished and trajectory.epochs >= epochs:
                break
    assert finished is not None
    return trajectory, finished


def evaluate_search(
    testbed: Testbed,
    configuration: Configuration,
    arm: str,
    trials: int,
    epochs: float,
    seconds_per_epoch: Mapping[int, float] | None = None,
) -> EvaluatedSearch:
    """Search for this many trials, and at least this many epochs; evaluate every incumbent.

    seconds_per_epoch: see `Watched`. Raises InputError if no run was completed.
    """
    objective = testbed.objective
    steps = objective.steps(1)
    together = configuration.most_together(steps) if configuration.bracket_size(steps) > 1 else 1
    executor = testbed.executor(together)
    trajectory, finished = watch(objective, configuration, executor, trials, epochs, seconds_per_epoch)
    sign, true_error = objective.metric.sign, cache(testbed.true_error)
    best = trajectory.incumbents(sign)
    if not best:
        raise InputError(f"no run of {arm}, search seed {configuration.sampler_seed}, was completed: use more --trials")
    incumbents = [Incumbent(round(run.epochs, 2), round(run.seconds, 3), true_error(run.schedule)) for run in best]
    last = max(index for index, run in enumerate(best) if run.epochs <= finished.epochs)
    chosen = best[last].schedule
    own = testbed.full_error(chosen)
    others = (testbed.full_error(schedule) for schedule in trajectory.tried[: finished.runs])
    return EvaluatedSearch(
        workload=testbed.name,
        arm=arm,
        search_seed=configuration.sampler_seed,
        epochs=round(finished.epochs, 2),
        seconds=round(finished.seconds, 3),
        error=incumbents[last].error,
        lost=None if own is None else any(sign * other < sign * own for other in others if other is not None),
        family=chosen.family,
        overhead=round(1000 * (finished.seconds - finished.training) / trials, 2) if seconds_per_epoch else None,
        spent=round(trajectory.epochs, 2),
        incumbents=tuple(incumbents),
    )


def one_search(
    searches: Searches, file: Path | None, arm: str, seed: int, seconds_per_epoch: Mapping[int, float]
) -> EvaluatedSearch:
    """Search with one arm and one seed, and evaluate every incumbent.

    file: see `testbed_of`. seconds_per_epoch: the result of `Testbed.seconds_per_epoch`.
    """
    testbed = testbed_of(searches, file)
    configuration = replace(testbed.configuration, sampler_seed=seed, **ARMS[searches.compare][arm])
    epochs = searches.equal_epochs * searches.trials * configuration.epochs
    return evaluate_search(testbed, configuration, arm, searches.trials, epochs, seconds_per_epoch)
