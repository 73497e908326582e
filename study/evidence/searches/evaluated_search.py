"""Contest: one search, watched, and the row of figures that says what it spent and how good what it found truly is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

import optuna

from search_spaces.errors import InputError, require
from search_spaces.schedule import Schedule
from study.evidence.searches.trajectory import Mark, Trace, TracedEngine
from study.executors.choice import Engine
from study.search.configuration import Configuration
from study.search.search import search
from study.workloads.workload import Workload

MOST_TRIALS = 12
"""A search ends after so many times the trials asked for, whatever is left of its budget of epochs."""
Unit = Literal["epochs", "seconds"]
"""Of what a search has spent."""


@dataclass(frozen=True)
class Moment:
    """A change of the incumbent. epochs and seconds: spent by then. error: its true one, a mean over fresh seeds."""

    epochs: float
    seconds: float
    error: float


@dataclass(frozen=True)
class Row:
    """One search of an arm.

    workload: its name, and how long a full run is.
    epochs, seconds: spent when so many trials had finished as the comparison is about. error: of the incumbent then.
    lost: whether a schedule that was tried by then would have beaten it, on the validation rows of the search, in
    a full run; None where that is not known. family: of the incumbent. overhead: milliseconds per trial outside
    training, None where that was not told apart. spent: epochs, when the search was ended. trace: all changes of the
    incumbent until then.
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
    trace: tuple[Moment, ...]

    def end(self, unit: Unit) -> float:
        """What had been spent when the search ended; seconds at the pace of the trials, or until the last change."""
        if unit == "epochs":
            return self.spent
        return max(self.seconds * self.spent / self.epochs, self.trace[-1].seconds)


def watch(
    workload: Workload,
    configuration: Configuration,
    engine: Engine,
    trials: int,
    epochs: float,
    seconds_per_epoch: Mapping[int, float] | None = None,
) -> tuple[Trace, Mark]:
    """Search until so many trials are finished, and so many epochs spent.

    Returns all that happened, and the moment when the trials were finished.
    """
    size = min(configuration.trials_per_generation, trials)  # a generation is to end with the trials
    configuration = replace(configuration, trials_per_generation=size)
    together = configuration.generation_size(workload.steps_per_epoch)
    require(trials % together == 0, f"--trials must be a multiple of {together}, what is decided together", trials)
    optuna_study = optuna.create_study(direction=workload.metric.direction)
    timed = seconds_per_epoch or {}
    traced = TracedEngine(engine.cohort, engine.workers, inner=engine, seconds_per_epoch=timed)
    trace, finished = traced.trace, None
    with closing(search(optuna_study, workload, configuration, traced, MOST_TRIALS * trials)) as generations:
        for generation in generations:
            if finished is None and generation.finished and len(optuna_study.get_trials(deepcopy=False)) >= trials:
                finished = trace.mark()
            if finished and trace.epochs >= epochs:
                break
    assert finished is not None
    return trace, finished


def contest(
    workload: Workload,
    configuration: Configuration,
    engine: Engine,
    arm: str,
    trials: int,
    epochs: float,
    true_error: Callable[[Schedule], float],
    full_error: Callable[[Schedule], float] | None = None,
    seconds_per_epoch: Mapping[int, float] | None = None,
) -> Row:
    """Search for so many trials, and at least so many epochs; judge all that was ever the incumbent.

    true_error: the mean test error of a schedule over fresh seeds. full_error: its validation error in a full run of
    the search's seed, where that is known. seconds_per_epoch: of training one run, by how many are trained together,
    where the engine does not train.
    """
    trace, finished = watch(workload, configuration, engine, trials, epochs, seconds_per_epoch)
    sign = 1 if workload.metric.direction == "minimize" else -1
    incumbents = trace.incumbents(sign)
    moments = [Moment(round(one.epochs, 2), round(one.seconds, 3), true_error(one.schedule)) for one in incumbents]
    if not incumbents:
        raise InputError(
            f"no run of {arm}, search seed {configuration.sampler_seed}, came to its end: give more --trials"
        )
    last = max(index for index, one in enumerate(incumbents) if one.epochs <= finished.epochs)
    chosen = incumbents[last].schedule
    lost = None
    if full_error:
        tried = trace.tried[: finished.tried]
        lost = min(sign * full_error(schedule) for schedule in tried) < sign * full_error(chosen)
    return Row(
        workload=f"{workload.name}, {configuration.epochs} epochs",
        arm=arm,
        search_seed=configuration.sampler_seed,
        epochs=round(finished.epochs, 2),
        seconds=round(finished.seconds, 3),
        error=moments[last].error,
        lost=lost,
        family=chosen.family,
        overhead=round(1000 * (finished.seconds - finished.training) / trials, 2) if seconds_per_epoch else None,
        spent=round(trace.epochs, 2),
        trace=tuple(moments),
    )
