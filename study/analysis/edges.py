"""Parameters whose best values crowd at an end of their search range.

The trials with the longest runs count here, whatever the first budget is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from search_spaces.ranges import Float, Integer, Range, share_of_range
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

FEWEST_BEST, BEST_PART = 5, 0.1
"""The trials whose parameters may lie at an edge: the best tenth, and at least five."""
EDGE = 0.05
"""The outer share of a range that counts as its edge, on the scale of the range."""
FEWEST_AT_EDGE, FEWEST_INTEGERS = 4, 5
"""The fewest of the best trials that must have a parameter, and the fewest values of an integer, to look at edges."""


@dataclass(frozen=True)
class Edge:
    """A parameter whose best values crowd at one end of its range.

    near: how many of the best trials that have it lie there. having: how many have it. all_have_it: whether all of the
    best do. at_upper_end: which end.
    """

    name: str
    searched: Float | Integer
    near: int
    having: int
    all_have_it: bool
    at_upper_end: bool

    @property
    def end(self) -> str:
        """Which end, and its value."""
        return f"upper end, {self.searched.high:g}" if self.at_upper_end else f"lower end, {self.searched.low:g}"

    def __str__(self) -> str:
        which = "" if self.all_have_it else " that have it"
        scale = ", log scale" if isinstance(self.searched, Float) and self.searched.log else ""
        return (
            f"{self.name}: {self.near} of the best {self.having} trials{which} lie within {EDGE:.0%} of its {self.end} "
            f"(range {self.searched.low:g} to {self.searched.high:g}{scale}): "
            "the optimum may lie outside; consider widening the range"
        )


def edge_warnings(study: StudyRecord) -> list[str]:
    """A line for each of the edges of a study."""
    return [str(edge) for edge in edges(study)]


def edges(study: StudyRecord) -> list[Edge]:
    """The numeric parameters whose best values crowd at an end of their range.

    The best are the best tenth of the finished trials that were not audited, at least five: those that came furthest
    first, and among equals the better ones. A parameter is named if at least FEWEST_AT_EDGE of them have it, and more
    than half of these lie in the same outer 5 % of its range, on a log scale if it is searched on one. Categories have
    no edges, nor do integers with fewer than FEWEST_INTEGERS values.
    """
    converged = [t for t in study.trials if t.reported and not (t.diverged or t.audited_from or t.outside)]
    last = {trial.number: max(trial.reported.items()) for trial in converged}  # (epochs, value)
    sign = study.metric.sign
    converged.sort(key=lambda trial: (-last[trial.number][0], sign * last[trial.number][1], trial.number))
    best = converged[: max(FEWEST_BEST, math.ceil(BEST_PART * len(study.trials)))]
    names = dict.fromkeys(name for trial in best for name in trial.params)
    return [edge for name in names if (edge := edge_of(name, study.settings.space[name], best))]


def edge_of(name: str, searched: Range, best: Sequence[TrialRecord]) -> Edge | None:
    """The end of its range at which this parameter's values in the best trials crowd, if they do."""
    having = [trial for trial in best if name in trial.params]
    if len(having) < FEWEST_AT_EDGE or not has_edges(searched):
        return None
    places = [share_of_range(trial.params[name], searched) for trial in having]
    lower, upper = sum(place <= EDGE for place in places), sum(place >= 1 - EDGE for place in places)
    if max(lower, upper) <= len(having) / 2:
        return None
    return Edge(name, searched, max(lower, upper), len(having), len(having) == len(best), upper > lower)


def has_edges(searched: Range) -> TypeGuard[Float | Integer]:
    """Whether values of this range can crowd at an end of it."""
    if isinstance(searched, Integer):
        return searched.high - searched.low + 1 >= FEWEST_INTEGERS
    return isinstance(searched, Float) and searched.low < searched.high
