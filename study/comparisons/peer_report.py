"""The peer's searches and ours, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.comparisons.comparison import markdown, signed
from study.statistics import Interval, mean_interval


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


def table(theirs: Sequence[Row], ours: Sequence[Row]) -> str:
    """Markdown: each side, and how ours differs from theirs, in pairs of the same search seed."""
    lines = [["study", "n", "trials", "epochs", "seconds", "test accuracy of the winner"], ["---"] * 6]
    for side in (theirs, ours):
        epochs, seconds = ([getattr(row, name) for row in side] for name in ("epochs", "seconds"))
        means = map(mean_interval, (epochs, seconds, [100 * (1 - row.test_error) for row in side]))
        lines.append([side[0].study, str(len(side)), str(side[0].trials), *map(written, means)])
    pairs = list(zip(theirs, ours, strict=True))
    fewer = signed(mean_interval([our.epochs - their.epochs for their, our in pairs]))
    faster = written(mean_interval([their.seconds / our.seconds for their, our in pairs]))
    better = signed(mean_interval([100 * (their.test_error - our.test_error) for their, our in pairs]))
    lines.append(["difference", str(len(pairs)), "", fewer, f"{faster} times as fast", better])
    return markdown(lines)


def written(interval: Interval) -> str:
    """A mean and the ends of its interval."""
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
