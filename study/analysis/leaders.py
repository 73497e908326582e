"""The leaders of a search: of each family the trial that came furthest."""

from __future__ import annotations

from typing import NamedTuple

from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


class Leader(NamedTuple):
    """The best trial of its family. epochs: of its last run, as far as it came. value: the metric at the end of it."""

    trial: TrialRecord
    epochs: int
    value: float


def leaders(study: StudyRecord) -> list[Leader]:
    """The leader of each family: those that came furthest first, and among equals the better ones.

    The winner of the study comes first. A family whose trials have all diverged has no leader.
    """
    found = [
        Leader(trial, *max(trial.reported.items())) for trial in study.trials if trial.reported and not trial.diverged
    ]
    found.sort(key=lambda one: (-one.epochs, study.metric.sign * one.value, one.trial.number))
    first: dict[str, Leader] = {}
    for leader in found:
        first.setdefault(leader.trial.family, leader)
    return list(first.values())
