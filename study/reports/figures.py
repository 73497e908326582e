"""The figures of a report that are drawn from plain values: SVG, as bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from study.reports.measure import Measure
from study.reports.plot_style import BLUE, FAR_APART, OTHER, family_color
from study.reports.svg import (
    MOST_HIGHLIGHTED,
    End,
    as_svg,
    blank,
    end_dot,
    label_ends,
    log_scale,
    shortened,
)

DECADES = 3
"""Decades of a log axis of learning rates below the lowest peak."""
TRIAL_TICKS = [digit * 10**power for power in range(6) for digit in (1, 2, 5)]
MOST_STEPS = 150
"""Optimizer steps up to which a run is drawn as stairs: two pixels each."""


class RunCurve(NamedTuple):
    """A run: the family of its schedule, the lr of every step, and what its evaluations found.

    steps: steps done at each evaluation. values: the metric, in the same order; None or NaN if missing.
    """

    family: str
    lr: Sequence[float]
    steps: Sequence[int]
    values: Sequence[float | None]


@as_svg
def draw_winners(curves: Sequence[RunCurve], measure: Measure) -> Figure:
    """The schedules of one run or more above, what was learned with them below; the first MOST_HIGHLIGHTED curves.

    One panel above the other: that leaves a phone the whole width for each.
    """
    curves = curves[:MOST_HIGHLIGHTED]
    figure = blank(4.4 + 0.15 * len(curves))
    above, below = figure.subplots(2, 1, sharex=True)
    same_length = len({len(curve.lr) for curve in curves}) == 1
    for number, curve in enumerate(curves):
        unit = 1 if same_length else len(curve.lr)
        color = family_color(curve.family)
        steps, lr = lr_stairs(curve, unit)
        above.plot(steps, lr, color=color, gid=f"lr-{number}")
        values = measure.scale * np.array([math.nan if value is None else value for value in curve.values])
        shares = np.asarray(curve.steps) / unit
        below.plot(shares, values, color=color, marker=".", markersize=4, clip_on=False, gid=f"learning-{number}")
    draw_rates(above, curves)
    above.set_xlim(0, max(len(curve.lr) for curve in curves) if same_length else 1)
    below.set_ylabel(measure.axis)
    figure.align_ylabels()
    below.set_xlabel("step" if same_length else "share of the run")
    handles = [Line2D([], [], color=family_color(curve.family), linewidth=2) for curve in curves]
    labels = [shortened(curve.family) for curve in curves]
    figure.legend(handles, labels, loc="outside upper left", ncols=2 if max(map(len, labels)) <= 22 else 1)
    return figure


def lr_stairs(curve: RunCurve, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """The steps, in this unit, and the learning rates of a line that shows how each holds until the next step.

    Of many steps a plain line shows the same, in a tenth of the bytes.
    """
    steps = np.arange(len(curve.lr) + 1) / unit
    lr = np.array([*curve.lr, curve.lr[-1]])
    if len(curve.lr) > MOST_STEPS:
        return steps, lr
    return np.repeat(steps, 2)[1:], np.repeat(lr, 2)[:-1]


def draw_rates(axes: Axes, curves: Sequence[RunCurve]) -> None:
    """Choose the scale of the learning rates: linear, unless some schedules would then lie on the axis."""
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
    """The expected value of the best of k trials, for k = 1, 2, ..., of each family; the six that end best are named.

    values: family -> finite values, one for each k; at least one family.
    """
    order = sorted(values, key=lambda name: measure.badness(values[name][-1]))
    named = order[:MOST_HIGHLIGHTED]
    figure = blank(3.5)
    axes = figure.subplots()
    ends = []
    for rank, name in enumerate(order):
        best = measure.scale * np.asarray(values[name])
        color = family_color(name) if name in named else OTHER
        line: dict[str, Any] = {"zorder": 2} if name in named else {"alpha": 0.4, "zorder": 1}
        axes.plot(
            np.arange(1, len(best) + 1), best, color=color, gid=f"tuning-{rank}", **line, **end_dot(len(best) - 1)
        )
        ends.append(End(len(best), best[-1], color, name))
    longest = max(map(len, values.values()))
    axes.set(xscale="log", xlabel="trials (log scale)", ylabel=f"expected best {measure.axis}")
    axes.set_xlim(1, max(longest, 2))
    axes.set_xticks([k for k in TRIAL_TICKS if k <= max(longest, 2)])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:.0f}")
    label_ends(axes, ends[: len(named)])
    if len(order) > len(named):
        figure.legend([Line2D([], [], color=OTHER, alpha=0.4)], ["other families"], loc="outside upper left")
    return figure


@as_svg
def importances(shares: Mapping[str, float], n: int, length: str) -> Figure:
    """How much the values of n trials depend on each parameter, as parts of 1, the most important on top.

    length: of the runs whose values these are, such as 2-epoch. shares: at least one.
    """
    order = sorted(shares, key=lambda name: -shares[name])
    figure = blank(0.6 + 0.28 * len(order))
    axes = figure.subplots()
    bars = axes.barh(
        [shortened(name) for name in order], [100 * shares[name] for name in order], color=BLUE, height=0.6
    )
    for bar in bars:
        bar.set_gid("share")
    axes.bar_label(bars, [f"{100 * shares[name]:.0f} %" for name in order], padding=3)
    figure.suptitle(f"Parameter importance ({n} trials, {length} runs)", x=0.02, ha="left", fontsize=9)
    axes.set(xlabel="importance (%)", xlim=(0, 112), xticks=range(0, 101, 25))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    return figure
