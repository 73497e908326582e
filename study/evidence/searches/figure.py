"""The figure of a comparison of searches: regret against epochs and seconds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, PercentFormatter

from study.analysis.statistics import mean_interval
from study.evidence.searches.evaluated_search import EvaluatedSearch, Unit
from study.evidence.searches.tables import incumbent_at, of_arm, of_workload, regret_at
from study.reports.plot_style import COLORS, LOOK, SAVE

LEAST = 0.01
"""Lower limit of the log axis, in points."""
SHARES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)
"""Where regret is drawn: fractions of the epochs of an unpruned search, or of the seconds of an arm's shortest one."""


def draw_regret(
    rows: Sequence[EvaluatedSearch],
    arms: Sequence[str],
    best: dict[str, float],
    full_epochs: dict[str, float],
    title: str,
) -> bytes:
    """A PNG: for each workload the mean regret of each arm with its interval, against epochs and against seconds."""
    with style.context(["default", LOOK]):
        figure = Figure(figsize=(7, 0.9 + 2.1 * len(best)), dpi=160, layout="constrained")
        panels = figure.subplots(len(best), 2, squeeze=False, sharey="row", width_ratios=(3, 2))
        for (by_epochs, by_seconds), workload in zip(panels, best, strict=True):
            for number, arm in enumerate(arms):
                own = of_arm(of_workload(rows, workload), arm)
                shortest = min(row.end("seconds") for row in own)
                draw_arm(by_epochs, own, best[workload], "epochs", full_epochs[workload], arm, number)
                draw_arm(by_seconds, own, best[workload], "seconds", shortest, arm, number)
            by_epochs.xaxis.set_major_formatter(PercentFormatter(full_epochs[workload]))
            by_epochs.set_title(workload)
            by_epochs.set_yscale("log")
            by_epochs.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            by_epochs.yaxis.set_major_formatter("{x:g}")
            by_epochs.yaxis.set_minor_formatter("")
            by_epochs.set_ylabel("regret (points of test error)")
        panels[-1, 0].set_xlabel("epochs trained, % of an unpruned search")
        panels[-1, 1].set_xlabel("seconds, one thread")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, title=title, loc="outside upper center", ncols=min(5, len(arms)))
        picture = io.BytesIO()
        figure.savefig(picture, **SAVE)
    return picture.getvalue()


def draw_arm(
    axes: Axes, rows: Sequence[EvaluatedSearch], best: float, unit: Unit, whole: float, arm: str, number: int
) -> None:
    """Draw the line of one arm, from where every search has an incumbent to `whole`, or to where the first one ends."""
    spent = [
        share * whole
        for share in SHARES
        if all(incumbent_at(row, share * whole, unit) and row.end(unit) >= share * whole for row in rows)
    ]
    found = [mean_interval([regret_at(row, one, best, unit) for row in rows]) for one in spent]
    line: dict[str, Any] = {
        "color": COLORS[number % len(COLORS)],
        "linestyle": "-" if number < len(COLORS) else "--",
        "label": arm,
    }
    means = np.array([interval.mean for interval in found])
    axes.plot(spent, means, **line)
    least = max(LEAST, min(means, default=LEAST) / 2)
    low, high = (np.maximum(least, [getattr(one, end) for one in found]) for end in ("low", "high"))
    axes.fill_between(spent, low, high, color=line["color"], alpha=0.15, linewidth=0)
