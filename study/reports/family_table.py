"""The table of families: how often each was tried, and how far its best trial came."""

from __future__ import annotations

from study.analysis.families import family_outcomes
from study.reports.measure import validation_measure
from study.reports.schedule_words import family_of_study
from study.storage.study_record import StudyRecord


def family_heads(study: StudyRecord) -> list[str]:
    """The heads of the columns of `family_rows`."""
    value = f"best {validation_measure(study).axis}"
    return ["family", "trials", "full runs", "pruned", "diverged", value, f"after {study.settings.unit}"]


def family_rows(study: StudyRecord) -> list[list[str]]:
    """A row for each family, best first. A family without a full run shows the best of its longest runs."""
    number = validation_measure(study).number
    return [
        [
            *map(str, (family_of_study(study, one.family), one.trials, one.full_runs, one.pruned, one.diverged)),
            *((number(one.leader.value), str(one.leader.epochs)) if one.leader else ("-", "-")),
        ]
        for one in family_outcomes(study)
    ]
