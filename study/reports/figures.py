"""The figures of a report that are drawn from plain values: SVG, as bytes; what is missing is said in the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.reports.plot_style import BLUE, FAR_APART
from study.reports.svg import (
    MOST_HIGHLIGHTED,
    End,
    as_svg,
    blank,
    color_of,
    end_dot,
    label_ends,
    log_scale,
    notice,
    shortened,
)

DECADES = 3
"""Of a log axis of learning rates, below the lowest peak."""
TRIAL_TICKS = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
MOST_STEPS = 150
"""Optimizer steps of a run that are drawn as stairs: two pixels each."""


class Measure(NamedTuple):
    """What runs are evaluated by, such as `test_error`, in its unit; whether a higher value is the better one."""

    name: str
    unit: str
    maximize: bool = False

    @property
    def axis(self) -> str:
        """For an axis."""
        return f"{self.name} ({self.unit})"

    def badness(self, value: float) -> float:
        """What is lower for a better value; infinite for one that is not finite."""
        return math.inf if not math.isfinite(value) else -value if self.maximize else value


class RunCurve(NamedTuple):
    """A run: what it is called, the lr of every step, and what its evaluations found.

    steps: steps done at each evaluation. values: the metric, in the same order; None or NaN if there is none.
    """

    label: str
    lr: Sequence[float]
    steps: Sequence[int]
    values: Sequence[float | None]


@as_svg
def draw_winners(curves: Sequence[RunCurve], measure: Measure) -> Figure:
    """Schedules above, what was learned with them below; the first MOST_HIGHLIGHTED curves.

    One above the other: that leaves a phone the whole width for each.
    """
    curves = [curve for curve in curves if len(curve.lr)][:MOST_HIGHLIGHTED]
    if not curves:
        return notice("No winners to draw: no trial ran to its end.")
    figure = blank(4.4 + 0.15 * len(curves))
    above, below = figure.subplots(2, 1, sharex=True)
    same_length = len({len(curve.lr) for curve in curves}) == 1
    for number, curve in enumerate(curves):
        unit = 1 if same_length else len(curve.lr)
        line: dict[str, Any] = {"color": color_of(number), "label": shortened(curve.label)}
        # A step's lr holds until the next one; of many steps a plain line shows the same, in a tenth of the bytes.
        updates = np.arange(len(curve.lr) + 1) / unit
        drawstyle = "steps-post" if len(curve.lr) <= MOST_STEPS else "default"
        above.plot(updates, [*curve.lr, curve.lr[-1]], drawstyle=drawstyle, gid=f"lr-{number}", **line)
        values = np.array([math.nan if value is None else value for value in curve.values])
        shares = np.asarray(curve.steps) / unit
        below.plot(shares, values, marker=".", markersize=4, clip_on=False, gid=f"learning-{number}", **line)
    draw_rates(above, curves)
    above.set_xlim(0, max(len(curve.lr) for curve in curves) if same_length else 1)
    below.set_ylabel(measure.axis)
    figure.align_ylabels()
    below.set_xlabel("optimizer updates" if same_length else "share of the run")
    handles = [Line2D([], [], color=color_of(number), linewidth=2) for number in range(len(curves))]
    labels = [shortened(curve.label) for curve in curves]
    figure.legend(handles, labels, loc="outside upper left", ncols=2 if max(map(len, labels)) <= 22 else 1)
    return figure


def draw_rates(axes: Axes, curves: Sequence[RunCurve]) -> None:
    """Choose the scale: linear, as schedules are known, unless some would then lie on the axis."""
    peaks = [max(curve.lr) for curve in curves]
    positive = [lr for curve in curves for lr in curve.lr if lr > 0]
    if min(peaks) > 0 and max(peaks) > FAR_APART * min(peaks):
        log_scale(axes, axes.yaxis, max(min(positive), min(peaks) / 10**DECADES), max(peaks), 6)
        axes.set_ylabel("lr (log scale)")
    else:
        axes.set_ylim(bottom=0)
        axes.set_ylabel("lr")


@as_svg
def tuning_curves(values: Mapping[str, Sequence[float]], measure: Measure) -> Figure:
    """What the best of k trials is worth, for k = 1, 2, ... in order; the six families that end best are named."""
    shown = {name: np.asarray(own, dtype=float) for name, own in values.items() if np.isfinite(own).any()}
    if not shown:
        return notice("No tuning curves to draw: no trial ran to its end.")
    last = {name: int(np.flatnonzero(np.isfinite(own))[-1]) for name, own in shown.items()}
    order = sorted(shown, key=lambda name: measure.badness(shown[name][last[name]]))
    figure = blank(3.5)
    axes = figure.subplots()
    for rank, name in enumerate(order):
        trials = np.arange(1, len(shown[name]) + 1)
        line: dict[str, Any] = {"color": color_of(rank), "zorder": 2 if rank < MOST_HIGHLIGHTED else 1}
        axes.plot(trials, shown[name], gid=f"tuning-{rank}", **line, **end_dot(last[name]))
    longest = max(last.values()) + 1
    axes.set(xscale="log", xlabel="trials (log scale)", ylabel=f"expected best {measure.axis}")
    axes.set_xlim(1, max(longest, 2))
    axes.set_xticks([k for k in TRIAL_TICKS if k <= max(longest, 2)])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:.0f}")
    ends = [(last[name] + 1, float(shown[name][last[name]]), name) for name in order[:MOST_HIGHLIGHTED]]
    label_ends(axes, [End(x, y, color_of(rank), name) for rank, (x, y, name) in enumerate(ends)])
    if len(order) > MOST_HIGHLIGHTED:
        figure.legend([Line2D([], [], color=color_of(MOST_HIGHLIGHTED))], ["other families"], loc="outside upper left")
    return figure


@as_svg
def importances(shares: Mapping[str, float], n: int) -> Figure:
    """How much the values of n trials depend on each parameter, as parts of 1, the most important on top."""
    if not shares:
        return notice(f"Which parameters mattered is not told: {n} trials of equal length, or all with the same value.")
    order = sorted(shares, key=lambda name: -shares[name])
    figure = blank(0.6 + 0.28 * len(order))
    axes = figure.subplots()
    bars = axes.barh(
        [shortened(name) for name in order], [100 * shares[name] for name in order], color=BLUE, height=0.6
    )
    for bar in bars:
        bar.set_gid("share")
    axes.bar_label(bars, [f"{shares[name]:.0%}" for name in order], padding=3)
    axes.set(title=f"What decided, in {n} trials", xlabel="importance (%)", xlim=(0, 112), xticks=range(0, 101, 25))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    return figure
