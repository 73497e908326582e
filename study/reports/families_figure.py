"""The figure that every benchmark's report begins with: how each family did, seed by seed, at each budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from study.analysis.statistics import mean_interval
from study.reports.measure import Measure
from study.reports.plot_style import INK, OTHER, family_color
from study.reports.svg import as_svg, blank, shortened

LONGEST_TITLE = 42
"""Characters."""
SEED: dict[str, Any] = {"marker": "o", "markersize": 3.2, "linestyle": "none", "alpha": 0.6, "markeredgewidth": 0}
MEAN: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": 2, "linewidth": 2, "solid_capstyle": "butt"}
CONTROL: dict[str, Any] = {"color": OTHER, "linewidth": 0.9, "linestyle": (0, (4, 2))}


@as_svg
def draw_families(
    standings: Mapping[str, Mapping[str, Sequence[float]]], measure: Measure, control: str = "constant"
) -> Figure:
    """How each family did: a dot for each seed, the mean with its 95 % interval, and that of the control as a line.

    standings: budget -> family -> value of each seed; at least one value. A panel for each budget, one below the other,
    each with its best family on top. A seed without a finite value is counted in the panel; its family has no mean.
    """
    rows = [len(values) for values in standings.values()]
    figure = blank(0.75 + sum(0.5 + 0.18 * n for n in rows))
    panels = figure.subplots(len(standings), 1, squeeze=False, height_ratios=[n + 1.5 for n in rows]).ravel()
    for number, (panel, (budget, values)) in enumerate(zip(panels, standings.items(), strict=True)):
        order = best_first(values, measure)
        scaled = [measure.scale * np.asarray(values[family], dtype=float) for family in order]
        draw_standings(panel, scaled, order, control, f"seeds-{number}")
        panel.set_title(shortened(budget, LONGEST_TITLE))
        panel.set_yticks(range(len(order)), [shortened(family) for family in order])
        panel.set_ylim(len(order) - 0.4, -0.6)
    figure.supxlabel(measure.axis)
    key = {"a seed": Line2D([], [], color=INK, **SEED), "mean, 95 % interval": Line2D([], [], color=INK, **MEAN)}
    tried = any(control in values for values in standings.values())
    key |= {f"mean of {shortened(control)}, the control": Line2D([], [], **CONTROL)} if tried else {}
    ncols = 3 if len(control) <= 10 else 1
    figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=ncols, columnspacing=1, handlelength=1.5)
    return figure


def best_first(values: Mapping[str, Sequence[float]], measure: Measure) -> list[str]:
    """The families by their mean, equal ones by name; those without a finite mean come last."""
    means = {name: float(np.mean(own)) if len(own) else math.nan for name, own in values.items()}
    return sorted(values, key=lambda name: (measure.badness(means[name]), name))


def draw_standings(axes: Axes, rows: Sequence[np.ndarray], order: Sequence[str], control: str, gid: str) -> None:
    """One budget; rows: the values of each family, in order, as they are shown."""
    for row, (family, values) in enumerate(zip(order, rows, strict=True)):
        color = family_color(family)
        finite = values[np.isfinite(values)]
        axes.plot(finite, [row] * len(finite), color=color, gid=f"{gid}-{row}", **SEED)
        if len(finite) < len(values):
            lost = f"{len(values) - len(finite)} of {len(values)} not finite"
            axes.annotate(lost, (1, row), xycoords=("axes fraction", "data"), fontsize=7, ha="right", va="center")
        elif len(finite):
            mean, low, high, _ = mean_interval(finite.tolist())
            axes.plot([low, high], [row, row], color=color, **{**MEAN, "marker": ""})
            axes.plot([mean], [row], color=color, **MEAN)
            if family == control:
                axes.axvline(mean, zorder=0, **CONTROL)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="y", color=INK, alpha=0.2, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
