"""The results of a benchmark of families: its studies by budget, the schedules chosen, their values on test."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.ranking import Standing, standings
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def by_budget(studies: Sequence[StudyRecord]) -> dict[int, list[StudyRecord]]:
    """Epochs of a full run -> the studies of that budget, ascending; only the first of repeated searches."""
    first = [study for study in studies if study.settings.sampler_seed == studies[0].settings.sampler_seed]
    budgets = sorted({study.settings.epochs for study in first})
    return {epochs: [study for study in first if study.settings.epochs == epochs] for epochs in budgets}


def family_of(study: StudyRecord) -> str:
    """The family that a study tunes."""
    return study.settings.families[0]


def confirmed(studies: Sequence[StudyRecord]) -> dict[str, Sequence[float]]:
    """The test metric of each family's best schedule, a value for each fresh seed."""
    return {family_of(study): study.confirmed.test for study in studies if study.confirmed}


def chosen(study: StudyRecord) -> TrialRecord | None:
    """The trial whose schedule was confirmed; if none was, the best so far."""
    return study.trial(study.confirmed.trial) if study.confirmed else study.best


def ranking(studies: Sequence[StudyRecord]) -> list[Standing]:
    """The families of one budget, best first, as far as they are confirmed with as many seeds as the first one."""
    values = confirmed(studies)
    n = len(next(iter(values.values()), ()))
    values = {family: own for family, own in values.items() if len(own) == n}
    return standings(values, studies[0].metric.direction) if values else []
