"""The peer's searches and ours, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.analysis.statistics import mean_interval
from study.reports.markdown import table


@dataclass(frozen=True)
class Row:
    """One study: what it cost, and the test error of its winner, the mean over fresh training seeds.

    epochs: trained over all trials. seconds: wall time of the search. family: of the winner.
    """

    study: str
    search_seed: int
    trials: int
    epochs: float
    seconds: float
    family: str
    test_error: float


def compared(theirs: Sequence[Row], ours: Sequence[Row]) -> str:
    """Markdown: each side, and how ours differs from theirs, in pairs of the same search seed."""
    rows = []
    for side in (theirs, ours):
        epochs, seconds = ([getattr(row, name) for row in side] for name in ("epochs", "seconds"))
        means = map(mean_interval, (epochs, seconds, [100 * (1 - row.test_error) for row in side]))
        rows.append([side[0].study, str(len(side)), str(side[0].trials), *(f"{one:.2f}" for one in means)])
    pairs = list(zip(theirs, ours, strict=True))
    fewer = mean_interval([our.epochs - their.epochs for their, our in pairs])
    faster = mean_interval([their.seconds / our.seconds for their, our in pairs])
    better = mean_interval([100 * (their.test_error - our.test_error) for their, our in pairs])
    rows.append(["difference", str(len(pairs)), "", f"{fewer:+.2f}", f"{faster:.2f} times as fast", f"{better:+.2f}"])
    return table(["study", "n", "trials", "epochs", "seconds", "test accuracy of the winner"], rows)
