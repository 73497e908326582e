"""Who leads a search that is under way: the best of each family after its longest run so far, short runs included."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from study.reports.verdict import epochs_in_words, value_in_words
from study.search.bracket import Bracket
from study.storage.study_record import StudyRecord


class Leader(NamedTuple):
    """The best trial of a family.

    tried: trials of the family. epochs: of the longest runs that it has had. value: the best that these have found.
    """

    family: str
    tried: int
    epochs: int
    value: float


def leaders(study: StudyRecord, bracket: Bracket | None = None) -> list[Leader]:
    """A leader for each family that has a value: those of the longest runs first, the better ones first among them.

    bracket: the one under way, whose trials are not all stored yet.
    """
    found: dict[str, list[dict[int, float]]] = {}
    for family, values in [*stored_values(study), *(values_under_way(bracket) if bracket else ())]:
        found.setdefault(family, []).append(values)
    sign = study.metric.sign
    best = []
    for family, tried in found.items():
        epochs = max((max(values) for values in tried if values), default=0)
        if epochs:
            value = min((values[epochs] for values in tried if epochs in values), key=lambda value: sign * value)
            best.append(Leader(family, len(tried), epochs, value))
    return sorted(best, key=lambda leader: (-leader.epochs, sign * leader.value, leader.family))


def stored_values(study: StudyRecord) -> Iterator[tuple[str, dict[int, float]]]:
    """(family, values by epochs) of each stored trial; a diverged one has no values."""
    for trial in study.trials:
        yield trial.family, {} if trial.diverged else dict(trial.reported)


def values_under_way(bracket: Bracket) -> Iterator[tuple[str, dict[int, float]]]:
    """The same of each trial that this start of the search has begun; of none once all are stored."""
    for candidate in () if bracket.finished else bracket.on_their_way:
        if candidate.evaluations:
            diverged = candidate.evaluations[-1].diverged
            yield candidate.schedule.family, {} if diverged else dict(candidate.reported)


def leaders_in_words(study: StudyRecord, ranked: Sequence[Leader], width: float = math.inf) -> str:
    """The leaders, grouped by the length of their runs, as many as fit into this many characters."""
    said = ""
    for place, (epochs, group) in enumerate(groupby(ranked, key=lambda leader: leader.epochs)):
        head = f"best after {epochs_in_words(epochs)}: " if place == 0 else f"; after {epochs}: "
        for leader in group:
            more = f"{head}{leader.family} {value_in_words(study, leader.value)}"
            if len(said) + len(more) + len(", ...") > width:
                return f"{said}, ..."
            said, head = said + more, ", "
    return said or "no value yet"
