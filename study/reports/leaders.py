"""The leaders of a search that is under way, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from study.analysis.leaders import Leader
from study.objective import length_in_words
from study.reports.schedule_words import family_of_study
from study.reports.verdict import value_in_words
from study.search.bracket import Bracket
from study.storage.study_record import StudyRecord


def values_under_way(bracket: Bracket) -> Iterator[tuple[str, dict[int, float]]]:
    """(family, values by epochs) of each trial that this start of the search has begun; none once all are stored."""
    for candidate in () if bracket.finished else bracket.on_their_way:
        if candidate.evaluations:
            diverged = candidate.evaluations[-1].diverged
            yield candidate.schedule.family, {} if diverged else dict(candidate.reported)


def leaders_in_words(study: StudyRecord, ranked: Sequence[Leader], width: float = math.inf) -> str:
    """The leaders, grouped by the length of their runs, as many as fit into this many characters."""
    said = ""
    for place, (epochs, group) in enumerate(groupby(ranked, key=lambda leader: leader.epochs)):
        head = f"best after {length_in_words(epochs, study.settings.unit)}: " if place == 0 else f"; after {epochs}: "
        for leader in group:
            more = f"{head}{family_of_study(study, leader.family)} {value_in_words(study, leader.value)}"
            if len(said) + len(more) + len(", ...") > width:
                return f"{said}, ..."
            said, head = said + more, ", "
    return said or "no value yet"
