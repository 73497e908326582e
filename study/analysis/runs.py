"""The runs of a study's trials, in the order in which they were trained."""

from __future__ import annotations

from typing import NamedTuple

from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


class TrainedRun(NamedTuple):
    """A run that came to its end.

    budget: its epochs. value: the metric at its end. spent: epochs that the whole study had trained by then.
    """

    trial: TrialRecord
    budget: int
    value: float
    spent: float


def runs_as_trained(study: StudyRecord) -> list[TrainedRun]:
    """The runs of all finished trials in the order in which they were trained.

    A bracket trains all its trials at one budget before any at the next, and what runs for an audit only at its end.
    Runs that were pruned midway or diverged are left out, but their epochs count.
    """
    trained = [
        (trial.place.bracket, audited(trial, budget), budget, trial.place.position, trial)
        for trial in study.trials
        for budget in trial.epochs_used
    ]
    runs, spent = [], 0.0
    for _, _, budget, _, trial in sorted(trained, key=lambda one: one[:-1]):
        spent += trial.epochs_used[budget]
        diverged = trial.diverged and budget == max(trial.epochs_used)
        if budget in trial.reported and not diverged:
            runs.append(TrainedRun(trial, budget, trial.reported[budget], spent))
    return runs


def audited(trial: TrialRecord, budget: int) -> bool:
    """Whether the trial had this run for an audit only."""
    return trial.audited_from is not None and budget > trial.audited_from
