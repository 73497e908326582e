"""The gallery: samples of each family's schedules, in one picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from search_spaces import EVERY_FAMILY, FAMILIES, Schedule
from search_spaces.schedule import evaluation_steps
from study.reports.plot_style import INK, LOOK, OTHER, SAVE, family_color

SAMPLES: dict[str, list[dict[str, Any]]] = {
    "step": [
        {"step_size_fraction": 0.3, "gamma": 0.1},
        {"step_size_fraction": 0.2, "gamma": 0.6},
        {"step_size_fraction": 0.5, "gamma": 0.2},
    ],
    "multistep": [
        {"first_drop_fraction": 0.5, "drops": 2, "gamma": 0.1},
        {"first_drop_fraction": 0.3, "drops": 4, "gamma": 0.6},
        {"first_drop_fraction": 0.8, "drops": 1, "gamma": 0.3},
    ],
    "exponential": [{"end_ratio": 0.01}, {"end_ratio": 0.1}, {"end_ratio": 0.5}],
    "inverse_time": [
        {"end_ratio": 0.1, "power": 1.0},
        {"end_ratio": 0.1, "power": 0.5},
        {"end_ratio": 0.01, "power": 2.0},
    ],
    "inverse_sqrt": [{"timescale_fraction": 0.04}, {"timescale_fraction": 0.01}, {"timescale_fraction": 0.3}],
    "polynomial": [{"power": 2.0}, {"power": 0.5}, {"power": 4.0}],
    "linear": [{"end_ratio": 0.0}, {"end_ratio": 0.1}, {"end_ratio": 0.3}],
    "cosine": [
        {"t_max_fraction": 1.0, "floor_ratio": 0.0},
        {"t_max_fraction": 1.0, "floor_ratio": 0.2},
        {"t_max_fraction": 0.7, "floor_ratio": 0.05},
    ],
    "warm_restarts": [{"cycles": 2, "t_mult": 1}, {"cycles": 3, "t_mult": 2}],
    "cyclic": [
        {"cycles": 2, "mode": "triangular", "base_ratio": 0.3},
        {"cycles": 4, "mode": "triangular2", "base_ratio": 0.1},
        {"cycles": 8, "mode": "exp_range", "base_ratio": 0.02},
    ],
    "one_cycle": [
        {"pct_start": 0.25, "anneal_strategy": "cos"},
        {"pct_start": 0.25, "anneal_strategy": "linear"},
        {"pct_start": 0.5, "div_factor": 4.0, "end_ratio": 0.1},
    ],
    "wsd": [
        {"cooldown_fraction": 0.2, "shape": "1-sqrt"},
        {"cooldown_fraction": 0.4, "shape": "linear"},
        {"cooldown_fraction": 0.6, "shape": "cosine"},
    ],
    "plateau": [
        {"factor": 0.1, "patience_fraction": 0.1},
        {"factor": 0.5, "patience_fraction": 0.1},
        {"factor": 0.8, "patience_fraction": 0.05},
    ],
    "schedule_free": [{"beta": 0.9}],
    "greedy": [
        {"factor": 0.8, "patience_fraction": 0.05},
        {"factor": 0.5, "patience_fraction": 0.05},
        {"factor": 0.6, "patience_fraction": 0.1},
    ],
    "piecewise": [
        {"knots": 3, "ratio_1": 0.8, "end_ratio": 0.01},
        {"knots": 4, "ratio_1": 0.3, "ratio_2": 0.3, "end_ratio": 0.001},
        {"knots": 5, "ratio_1": 0.4, "ratio_2": 0.9, "ratio_3": 0.5, "end_ratio": 0.1},
    ],
}
"""The samples of each family, at most three; a family that is missing here is shown with its defaults."""

WARMUP_FRACTION = 0.1
"""Of the curves in grey."""
STEPS = 1000
"""Steps of a run: more than a panel has pixels."""
SHARES = [step / STEPS for step in range(STEPS)]
COLUMNS = 3

LINES: tuple[dict[str, Any], ...] = (
    {"linewidth": 2.2},
    {"linewidth": 1.4, "linestyle": (0, (6, 1.5))},
    {"linewidth": 1.4, "linestyle": (0, (1, 1))},
)
"""How the samples of a family are drawn, in its colour."""
WARMED_UP: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (3, 2))}
LOSSES: dict[str, Any] = {"color": OTHER, "linewidth": 0.9, "marker": ".", "markersize": 3, "alpha": 0.7}
PANELS: dict[str, Any] = {
    **LOOK,
    "axes.titlepad": 43,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.06,
    "legend.borderaxespad": 0,
    "legend.borderpad": 0,
    "legend.fontsize": 7,
    "legend.handlelength": 1.4,
    "legend.labelspacing": 0.25,
    "legend.title_fontsize": 8,
}


def draw_gallery(families: Sequence[str] = tuple(FAMILIES)) -> bytes:
    """A PNG with a panel for each family; the same bytes each time."""
    drawn = [EVERY_FAMILY[name] for name in families]
    rows = math.ceil(len(drawn) / COLUMNS)
    with style.context(["default", PANELS]):
        figure = Figure(figsize=(9, 2.15 * rows + 0.5), dpi=160, layout="constrained")
        for position, family in enumerate(drawn, start=1):
            draw_panel(figure.add_subplot(rows, COLUMNS, position), family)
        figure.supxlabel("step / total_steps")
        figure.supylabel("lr / peak_lr")
        key = [
            Line2D(
                [],
                [],
                **WARMED_UP,
                label=f"the first sample after a warm-up over {100 * WARMUP_FRACTION:.0f} % of the run",
            ),
        ]
        if observing := [family.family for family in drawn if family.evaluations]:
            observe = f"{' and '.join(observing)} observe{'s' if len(observing) == 1 else ''}"
            label = f"validation losses that {observe} (invented)"
            key.append(Line2D([], [], **LOSSES, label=label))
        figure.legend(handles=key, loc="outside upper center", ncols=len(key), fontsize=8, borderaxespad=0.6)
        picture = io.BytesIO()
        figure.savefig(picture, **SAVE)
    return picture.getvalue()


def draw_panel(axes: Axes, family: type[Schedule]) -> None:
    """Samples of the family, and the first of them after a warm-up unless the family has its own."""
    samples = SAMPLES.get(family.family, [{}])
    for sample, line in zip(samples, LINES, strict=False):
        label = ", ".join(f"{name} {value}" for name, value in sample.items()) or "no parameter but peak_lr"
        axes.plot(SHARES, shape(family, sample), color=family_color(family.family), label=label, **line)
    if not family.has_own_warmup:
        axes.plot(SHARES, shape(family, {**samples[0], "warmup_fraction": WARMUP_FRACTION}), **WARMED_UP)
    if family.evaluations:
        shares = [step / STEPS for step in evaluation_steps(STEPS, family.evaluations)]
        axes.plot(shares, made_losses(family.evaluations), **LOSSES)
    axes.set(title=family.family, xlim=(0, 1), ylim=(0, 1.03), xticks=(0, 0.25, 0.5, 0.75, 1), yticks=(0, 0.5, 1))
    axes.label_outer()
    axes.legend(title=family.torch_class.__name__, alignment="left", loc="upper left", bbox_to_anchor=(0, 1.45))


def shape(family: type[Schedule], parameters: dict[str, Any]) -> list[float]:
    """The learning rate at each step of a run, as a fraction of the peak."""
    schedule = family(peak_lr=1.0, **parameters)
    return [lr for lr, _ in schedule.simulate(STEPS, made_losses(schedule.evaluations))]


def made_losses(evaluations: int) -> list[float]:
    """Plausible validation losses, relative to the first: they fall, stall, fall again and then rise, with ripples."""
    losses = []
    for i in range(evaluations):
        share = i / evaluations
        falls = 0.5 * math.exp(-15 * share) + 0.25 / (1 + math.exp(40 * (share - 0.55)))
        losses.append(0.3 + falls + 0.08 * share + 0.01 * math.sin(9 * i))
    return [loss / losses[0] for loss in losses]
