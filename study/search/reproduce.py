"""Reproduce: train a stored trial again as it was trained, and set what is found beside what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from search_spaces import InputError, from_params
from study.objective import Executor, Objective, Run
from study.search.sampler_study import place
from study.storage.records import CURVE_POINTS, finished_trials


@dataclass(frozen=True)
class Reproduced:
    """One rung of the trial: its epochs, the runs trained together, the value stored, and the one found now."""

    epochs: int
    cohort: int
    stored: float
    found: float


def reproduce(
    optuna_study: optuna.Study, trial: FrozenTrial, objective: Objective, executor: Executor
) -> Iterator[Reproduced]:
    """Train each of the trial's runs again, in its cohort; yields each rung when it is done.

    executor: of the study's engine. The last bits of a run depend on how many were trained with it, so the others of
    its cohort are trained too, each as far as it came.
    """
    for budget in trial.user_attrs["record"]["epochs_used"]:
        together = companions(optuna_study, trial, budget)
        runs = [
            Run(from_params(t.params), int(budget), train_seed(t), min(int(budget), CURVE_POINTS)) for t in together
        ]
        ends = [round(t.user_attrs["record"]["epochs_used"][budget] * objective.steps(1)) for t in together]
        reached = [0] * len(runs)
        found, cohort = 0.0, 1

        def stop(run: int, reached: list[int] = reached, ends: list[int] = ends) -> bool:
            return reached[run] >= ends[run]

        own = [t.number for t in together].index(trial.number)
        for evaluation in executor.train(runs, stop):
            reached[evaluation.run] = evaluation.step
            if evaluation.run == own:
                found, cohort = evaluation.metric, evaluation.cohort
        reported = [value for epoch, value in trial.intermediate_values.items() if epoch <= int(budget)]
        yield Reproduced(int(budget), cohort, reported[-1], found)


def companions(optuna_study: optuna.Study, trial: FrozenTrial, budget: str) -> list[FrozenTrial]:
    """The trials whose runs of this budget were trained at the same time, in the order of asking."""
    record = trial.user_attrs["record"]
    first = str(optuna_study.user_attrs["configuration"]["horizons"][0])

    def with_it(other: FrozenTrial) -> bool:
        theirs = other.user_attrs["record"]
        if theirs["place"]["generation"] != record["place"]["generation"] or budget not in theirs["epochs_used"]:
            return False
        if budget == first:
            return bool(theirs["place"]["batch"] == record["place"]["batch"])
        return runs_on(theirs) == runs_on(record)

    def runs_on(record: dict[str, Any]) -> bool:
        """Whether it trained this run for an audit only."""
        return record["audited_from"] is not None and int(budget) > record["audited_from"]

    stored = sum(place(other)[0] == place(trial)[0] for other in finished_trials(optuna_study))
    if stored < record["place"]["size"]:
        raise InputError("the trials that were trained with this one are not finished: let the search go on first")
    return sorted(filter(with_it, finished_trials(optuna_study)), key=place)


def train_seed(trial: FrozenTrial) -> int:
    """The training seed of a trial."""
    return int(trial.user_attrs["record"]["seeds"]["train_seed"])
