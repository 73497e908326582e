"""Reproduce: train a stored trial again as it was trained, and set what is found beside what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from search_spaces import InputError, from_params
from study.executors.choice import Engine
from study.search.sampler_study import place
from study.storage.records import CURVE_POINTS, finished_trials
from study.training.loop import Run
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Reproduced:
    """One rung of the trial: its epochs, the runs trained together, the value stored, and the one found now."""

    epochs: int
    cohort: int
    stored: float
    found: float


def reproduce(optuna_study: optuna.Study, trial: FrozenTrial, workload: Workload) -> Iterator[Reproduced]:
    """Train each of the trial's runs again, in its cohort, with the study's engine; yields each rung when it is done.

    The last bits of a run depend on how many were trained with it, so the others of its cohort are trained too, each as
    far as it came.
    """
    stored = optuna_study.user_attrs["engine"]
    with Engine(stored["cohort"], stored["workers"]).trainer(workload) as trainer:
        for horizon in trial.user_attrs["record"]["epochs_used"]:
            together = companions(optuna_study, trial, horizon)
            runs = [
                Run(from_params(t.params), int(horizon), seed(t), min(int(horizon), CURVE_POINTS)) for t in together
            ]
            ends = [round(t.user_attrs["record"]["epochs_used"][horizon] * workload.steps_per_epoch) for t in together]
            reached = [0] * len(runs)
            found, cohort = 0.0, 1

            def stop(run: int, reached: list[int] = reached, ends: list[int] = ends) -> bool:
                return reached[run] >= ends[run]

            own = [t.number for t in together].index(trial.number)
            for evaluation in trainer.train(runs, stop):
                reached[evaluation.run] = evaluation.step
                if evaluation.run == own:
                    found, cohort = evaluation.metric, evaluation.cohort
            reported = [v for epoch, v in trial.intermediate_values.items() if epoch <= int(horizon)]
            yield Reproduced(int(horizon), cohort, reported[-1], found)


def companions(optuna_study: optuna.Study, trial: FrozenTrial, horizon: str) -> list[FrozenTrial]:
    """The trials whose runs of this length were trained at the same time, in the order of asking."""
    record = trial.user_attrs["record"]
    first = str(optuna_study.user_attrs["configuration"]["horizons"][0])

    def with_it(other: FrozenTrial) -> bool:
        theirs = other.user_attrs["record"]
        if theirs["place"]["generation"] != record["place"]["generation"] or horizon not in theirs["epochs_used"]:
            return False
        if horizon == first:
            return bool(theirs["place"]["batch"] == record["place"]["batch"])
        return runs_on(theirs) == runs_on(record)

    def runs_on(record: dict[str, Any]) -> bool:
        """Whether it trained this run for an audit only."""
        return record["audited_from"] is not None and int(horizon) > record["audited_from"]

    stored = sum(place(other)[0] == place(trial)[0] for other in finished_trials(optuna_study))
    if stored < record["place"]["size"]:
        raise InputError("the trials that were trained with this one are not finished: let the search go on first")
    return sorted(filter(with_it, finished_trials(optuna_study)), key=place)


def seed(trial: FrozenTrial) -> int:
    """The training seed of a trial."""
    return int(trial.user_attrs["record"]["seeds"]["train_seed"])
