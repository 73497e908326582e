"""Reproduce: train a stored trial again as it was trained, and compare the values found with those stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from search_spaces.errors import InputError
from study.objective import Executor, Objective, Run
from study.storage.record_format import evaluations_of
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


@dataclass(frozen=True)
class Reproduced:
    """One rung of the trial: its epochs, the runs trained together, the stored value, and the value found now."""

    epochs: int
    cohort: int
    stored: float
    found: float


def reproduce(study: StudyRecord, trial: TrialRecord, objective: Objective, executor: Executor) -> Iterator[Reproduced]:
    """Train each of the trial's runs again, in its cohort; yields each rung when it is done.

    executor: of the study's engine. The last bits of a run depend on the cohort that it is trained in, so the other
    runs of the cohort are trained too, each as far as before. Raises InputError if some of these are not stored yet.
    """
    for budget in trial.epochs_used:
        together = companions(study, trial, budget)
        looks = evaluations_of(budget)
        runs = [
            Run(one.schedule, budget, one.seeds.train_seed, looks, weight_decay=one.weight_decay) for one in together
        ]
        ends = [round(one.epochs_used[budget] * objective.steps(1)) for one in together]
        reached = [0] * len(runs)
        found, cohort = 0.0, 1

        def stop(run: int, reached: list[int] = reached, ends: list[int] = ends) -> bool:
            return reached[run] >= ends[run]

        own = [one.number for one in together].index(trial.number)
        for evaluation in executor.train(runs, stop):
            reached[evaluation.run] = evaluation.step
            if evaluation.run == own:
                found, cohort = evaluation.metric, evaluation.cohort
        reported = [value for epochs, value in trial.reported.items() if epochs <= budget]
        yield Reproduced(budget, cohort, reported[-1], found)


def companions(study: StudyRecord, trial: TrialRecord, budget: int) -> list[TrialRecord]:
    """The trials whose runs of this budget were trained at the same time, in the order of asking."""
    bracket = [other for other in study.trials if other.place.bracket == trial.place.bracket]
    if len(bracket) < trial.place.size:
        raise InputError("the trials that were trained with this one are unfinished: let the search finish them first")

    def for_the_audit(one: TrialRecord) -> bool:
        """Whether the trial had this run for an audit only."""
        return one.audited_from is not None and budget > one.audited_from

    def together(other: TrialRecord) -> bool:
        if budget == study.first_budget:
            return other.place.batch == trial.place.batch
        return for_the_audit(other) == for_the_audit(trial)

    trained = [other for other in bracket if budget in other.epochs_used and together(other)]
    return sorted(trained, key=lambda other: other.place.position)
