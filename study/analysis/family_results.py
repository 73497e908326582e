"""The results of a benchmark of families: its studies by budget, the schedules chosen, their values on test."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.ranking import Standing, standings
from study.storage.finals import FEWEST_LEFT
from study.storage.study_record import Confirmed, StudyRecord
from study.storage.trial_record import TrialRecord


def by_budget(studies: Sequence[StudyRecord]) -> dict[int, list[StudyRecord]]:
    """Epochs of a full run -> the studies of that budget, ascending; only the first of repeated searches."""
    first = [study for study in studies if study.settings.sampler_seed == studies[0].settings.sampler_seed]
    budgets = sorted({study.settings.epochs for study in first})
    return {epochs: [study for study in first if study.settings.epochs == epochs] for epochs in budgets}


def family_of(study: StudyRecord) -> str:
    """The family that a study tunes."""
    return study.settings.families[0]


def same_seeds(studies: Sequence[StudyRecord]) -> dict[str, Confirmed]:
    """How each family of one budget was confirmed, as far as that was with the same seeds as the first one."""
    own = {family_of(study): study.confirmed for study in studies if study.confirmed}
    first = next(iter(own.values()), None)
    return {family: one for family, one in own.items() if first and one.asked == first.asked}


def shared_seeds(studies: Sequence[StudyRecord]) -> list[int]:
    """The fresh seeds over which the families of one budget are compared: those with which no run of them failed.

    Empty if these are too few, or nothing is confirmed.
    """
    own = list(same_seeds(studies).values())
    seeds = [seed for seed in own[0].seeds if all(seed in one.seeds for one in own)] if own else []
    return seeds if own and len(seeds) >= min(FEWEST_LEFT, len(own[0].asked)) else []


def confirmed(studies: Sequence[StudyRecord]) -> dict[str, list[float]]:
    """The test metric of the best schedule of each family that is compared, a value for each of the shared seeds."""
    seeds = shared_seeds(studies)
    own = same_seeds(studies) if seeds else {}
    return {family: [one.test[one.seeds.index(seed)] for seed in seeds] for family, one in own.items()}


def chosen(study: StudyRecord) -> TrialRecord | None:
    """The trial whose schedule was confirmed; if none was, the best so far."""
    return study.trial(study.confirmed.trial) if study.confirmed else study.best


def ranking(studies: Sequence[StudyRecord]) -> list[Standing]:
    """The families of one budget, best first, compared over the seeds that they share; empty if these are too few."""
    values = confirmed(studies)
    return standings(values, studies[0].metric.direction) if values else []
