"""The leaders of a search: how far the best trial of each family came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


class Leader(NamedTuple):
    """The best of a family.

    tried: trials of the family. epochs: of the longest run that the family has had. value: the best metric at the end
    of such a run.
    """

    family: str
    tried: int
    epochs: int
    value: float


def leaders(study: StudyRecord, under_way: Iterable[tuple[str, Mapping[int, float]]] = ()) -> list[Leader]:
    """The leader of each family: those that came furthest first, and among equals the better ones.

    A family whose trials have all diverged has no leader.
    under_way: (family, values by epochs) of each trial that is not stored yet; a diverged one has no values.
    """
    stored = sorted((trial for trial in study.trials if not trial.outside), key=lambda trial: trial.number)
    trials = [*((one.family, {} if one.diverged else one.reported) for one in stored), *under_way]
    tried = Counter(family for family, _ in trials)
    found = [Leader(family, tried[family], *max(values.items())) for family, values in trials if values]
    found.sort(key=lambda one: (-one.epochs, study.metric.sign * one.value))
    first: dict[str, Leader] = {}
    for leader in found:
        first.setdefault(leader.family, leader)
    return list(first.values())


def trial_of(study: StudyRecord, leader: Leader) -> TrialRecord:
    """The trial of a leader, the earliest of equals."""
    own = (one for one in study.trials if one.family == leader.family and not (one.diverged or one.outside))
    return min((one for one in own if one.reported.get(leader.epochs) == leader.value), key=lambda one: one.number)
