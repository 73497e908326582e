"""Where a range is tight: parameters whose best values crowd at an end of what was searched.

Here the trials that came furthest are looked at, whatever the first budget is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

from search_spaces.ranges import Float, Integer, Range, share_of_range
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

FEWEST_BEST, BEST_PART = 5, 0.1
"""The trials whose parameters may lie at an edge: the best tenth, and five at least."""
EDGE = 0.05
"""What counts as the edge: this outer share of the range, on its own scale."""
FEWEST_AT_EDGE, FEWEST_INTEGERS = 4, 5
"""The fewest of the best trials that must have a parameter, and the fewest values of an integer, to look at edges."""


def edge_warnings(study: StudyRecord) -> list[str]:
    """A line for each numeric parameter whose best values crowd at an end of its range.

    Looked at is the best tenth of the finished trials that were not audited, five at least: those that came furthest
    first, and the better ones first among those. A parameter is named if FEWEST_AT_EDGE of these have it, and more than
    half of those that have it lie in the same outer 5 % of its range, on a log scale if it is searched on one.
    Categories have no edges, nor has an integer of fewer than FEWEST_INTEGERS values.
    """
    converged = [t for t in study.trials if t.reported and not t.diverged and not t.audited_from]
    last = {trial.number: max(trial.reported.items()) for trial in converged}  # (epochs, value)
    sign = study.metric.sign
    converged.sort(key=lambda trial: (-last[trial.number][0], sign * last[trial.number][1], trial.number))
    best = converged[: max(FEWEST_BEST, math.ceil(BEST_PART * len(study.trials)))]
    names = dict.fromkeys(name for trial in best for name in trial.params)
    return [line for name in names if (line := edge_warning(name, study.settings.space[name], best))]


def edge_warning(name: str, searched: Range, best: Sequence[TrialRecord]) -> str | None:
    """The line for this parameter, if its values in the best trials crowd at an end; at least one has it."""
    having = [trial for trial in best if name in trial.params]
    if len(having) < FEWEST_AT_EDGE or not has_edges(searched):
        return None
    places = [share_of_range(trial.params[name], searched) for trial in having]
    at_end = {
        f"lower end, {searched.low:g}": sum(place <= EDGE for place in places),
        f"upper end, {searched.high:g}": sum(place >= 1 - EDGE for place in places),
    }
    end, near = max(at_end.items(), key=lambda item: item[1])
    if near <= len(having) / 2:
        return None
    which = "" if len(having) == len(best) else " that have it"
    scale = ", log scale" if isinstance(searched, Float) and searched.log else ""
    return (
        f"{name}: {near} of the best {len(having)} trials{which} lie within {EDGE:.0%} of its {end} "
        f"(range {searched.low:g} to {searched.high:g}{scale}): the best may lie beyond; try a wider range if it can be"
    )


def has_edges(searched: Range) -> TypeGuard[Float | Integer]:
    """Whether values of this range can crowd at an end of it."""
    if isinstance(searched, Integer):
        return searched.high - searched.low + 1 >= FEWEST_INTEGERS
    return isinstance(searched, Float) and searched.low < searched.high
