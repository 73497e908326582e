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
from study.reports.figures import Measure
from study.reports.plot_style import BLUE, VERMILION
from study.reports.svg import LETTERS_ABREAST, as_svg, blank, notice, shortened

PANELS_ABREAST = 3

PAPER: dict[str, Any] = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}
SEED: dict[str, Any] = {"marker": "o", "markersize": 3.2, "linestyle": "none", "alpha": 0.45, "markeredgewidth": 0}
MEAN: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": 2, "linewidth": 2, "solid_capstyle": "butt"}
CONTROL: dict[str, Any] = {"color": VERMILION, "linewidth": 0.9, "linestyle": (0, (4, 2))}


@as_svg
def draw_families(
    standings: Mapping[str, Mapping[str, Sequence[float]]], measure: Measure, control: str = "constant"
) -> Figure:
    """How each family did: a dot for each seed, the mean with its 95 % interval, and that of the control as a line.

    standings: budget -> family -> value of each seed. A panel for each budget, with the families in the same order: by
    their mean rank over the budgets. A seed without a finite value is counted in the panel, and its family has no mean.
    """
    order = ranked(standings, measure)
    if not order:
        return notice("No families to compare: no values yet.")
    abreast = min(PANELS_ABREAST, len(standings))
    down = math.ceil(len(standings) / abreast)
    figure = blank(0.75 + down * (0.45 + 0.19 * len(order)))
    panels = figure.subplots(down, abreast, sharey=True, squeeze=False).ravel()
    for panel in panels[len(standings) :]:
        panel.remove()
    for number, (panel, (budget, values)) in enumerate(zip(panels, standings.items(), strict=False)):
        draw_standings(panel, [values.get(family, ()) for family in order], order, control, f"seeds-{number}")
        panel.set_title(shortened(budget, LETTERS_ABREAST // abreast))
    panels[0].set_yticks(range(len(order)), [shortened(family) for family in order])
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    figure.supxlabel(measure.axis)
    key = {"a seed": Line2D([], [], color=BLUE, **SEED), "mean, 95 % interval": Line2D([], [], color=BLUE, **MEAN)}
    key |= {f"mean of {shortened(control)}, the control": Line2D([], [], **CONTROL)} if control in order else {}
    ncols = 3 if len(control) <= 10 else 1
    figure.legend(key.values(), key.keys(), loc="outside upper left", ncols=ncols, columnspacing=1, handlelength=1.5)
    return figure


def ranked(standings: Mapping[str, Mapping[str, Sequence[float]]], measure: Measure) -> list[str]:
    """The families, the best first: by mean rank over the budgets, by name if equal; one without mean comes last."""
    names = sorted({family for values in standings.values() for family in values})
    ranks = dict.fromkeys(names, 0)
    for values in standings.values():
        bad = {
            name: measure.badness(float(np.mean(own)) if len(own := values.get(name, ())) else math.nan)
            for name in names
        }
        for name in names:
            ranks[name] += sum(other < bad[name] for other in bad.values())
    return sorted(names, key=lambda name: ranks[name])


def draw_standings(axes: Axes, rows: Sequence[Sequence[float]], order: Sequence[str], control: str, gid: str) -> None:
    """One budget; rows: the values of each family, in order."""
    for row, (family, values) in enumerate(zip(order, rows, strict=True)):
        color = VERMILION if family == control else BLUE
        finite = [value for value in values if math.isfinite(value)]
        axes.plot(finite, [row] * len(finite), color=color, gid=f"{gid}-{row}", **SEED)
        if len(finite) < len(values):
            lost = f"{len(values) - len(finite)} of {len(values)} not finite"
            axes.annotate(
                lost, (1, row), xycoords=("axes fraction", "data"), fontsize=7, ha="right", va="center", bbox=PAPER
            )
        elif finite:
            mean, low, high, _ = mean_interval(finite)
            axes.plot([low, high], [row, row], color=color, **{**MEAN, "marker": ""})
            axes.plot([mean], [row], color=color, **MEAN)
            if family == control:
                axes.axvline(mean, zorder=0, **CONTROL)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.grid(axis="y", color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
