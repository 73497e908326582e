"""One search, watched and evaluated: what it spent, and how good what it would have returned truly is."""

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
"""A search ends after this many times the trials asked for, even if epochs are left to spend."""
Unit = Literal["epochs", "seconds"]
"""Of what a search has spent."""


@dataclass(frozen=True)
class Incumbent:
    """What a search would have returned from one moment on.

    epochs and seconds: spent by then. error: the mean test error of its schedule over fresh seeds.
    """

    epochs: float
    seconds: float
    error: float


@dataclass(frozen=True)
class EvaluatedSearch:
    """One search of an arm.

    workload: its name, and how long a full run is. epochs, seconds: spent when the trials asked for had finished.
    error, family: of the incumbent then. lost: whether a schedule tried by then would have beaten it, on the validation
    rows of the search, in a full run; None if that is not known. overhead: milliseconds per trial outside training,
    None if that was not timed apart. spent: epochs, at the end of the search. incumbents: all until then, in order.
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
        """What had been spent when the search ended; seconds at the pace of the trials, or until the last incumbent."""
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
    """Search in memory until these trials are finished and these epochs spent.

    Returns the trajectory, and what was spent when the trials were finished.
    """
    size = min(configuration.trials_per_bracket, trials)  # a bracket is to end with the trials
    configuration = replace(configuration, trials_per_bracket=size)
    steps_per_epoch = objective.steps(1)
    together = configuration.bracket_size(steps_per_epoch)
    require(trials % together == 0, f"--trials must be a multiple of {together}, what is decided together", trials)
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
    """Search for these trials, and at least these epochs; evaluate every incumbent.

    seconds_per_epoch: of training one run, by how many are trained together, if runs are only looked up.
    """
    objective = testbed.objective
    steps = objective.steps(1)
    together = configuration.most_together(steps) if configuration.bracket_size(steps) > 1 else 1
    executor = testbed.executor(together)
    trajectory, finished = watch(objective, configuration, executor, trials, epochs, seconds_per_epoch)
    sign, true_error = objective.metric.sign, cache(testbed.true_error)
    best = trajectory.incumbents(sign)
    if not best:
        raise InputError(
            f"no run of {arm}, search seed {configuration.sampler_seed}, came to its end: give more --trials"
        )
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
    """Search with one arm and one seed, and evaluate all that was found on the way.

    seconds_per_epoch: as `Testbed.seconds_per_epoch`, timed before.
    """
    testbed = testbed_of(searches, file)
    configuration = replace(testbed.configuration, sampler_seed=seed, **ARMS[searches.compare][arm])
    epochs = searches.equal_epochs * searches.trials * configuration.epochs
    return evaluate_search(testbed, configuration, arm, searches.trials, epochs, seconds_per_epoch)
