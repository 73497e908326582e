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
    """The families of one budget, best first, as far as they are confirmed with the same seeds as the first one.

    Seeds with which a run of one of them failed count for none of them.
    """
    own = {family_of(study): study.confirmed for study in studies if study.confirmed}
    first = next(iter(own.values()), None)
    if first is None:
        return []
    own = {family: one for family, one in own.items() if one.asked == first.asked}
    seeds = [seed for seed in first.seeds if all(seed in one.seeds for one in own.values())]
    values = {family: [one.test[one.seeds.index(seed)] for seed in seeds] for family, one in own.items()}
    return standings(values, studies[0].metric.direction) if seeds else []
