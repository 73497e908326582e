"""The figures of a study for optuna-dashboard, as plotly's JSON.

They are written as plotly.js reads them, without the package plotly: to make its first figure takes that 0.15 s, a
twentieth of a short study, and its default template alone has 7 kB. A test has plotly check every one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from search_spaces import FAMILIES
from study.analysis.comparable import comparable
from study.analysis.summary import best_by_family
from study.reports.dashboard.lr_curve import lr_line
from study.reports.plot_style import COLORS, FAR_APART
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

MOST_BEST = 6
"""Trials whose curves are drawn."""
SYMBOLS = ("circle", "diamond", "x")
"""With COLORS, a mark for each of fifteen families and more."""


@dataclass(frozen=True)
class Figure:
    """A figure: traces and layout, by plotly's names. The dashboard asks it for `to_json` only."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]

    def to_json(self) -> str:
        """As plotly.js reads it."""
        return json.dumps({"data": self.data, "layout": self.layout}, allow_nan=False, separators=(",", ":"))


def figures(study: StudyRecord) -> dict[str, Figure]:
    """All of them, by the id that each is kept under; for a study in any state."""
    best = study.ranked(study.complete)[:MOST_BEST]
    return {
        "lr-curves": lr_curves(best),
        "learning-curves": learning_curves(study.value_name, best),
        "best-by-family": best_by_family_over_time(study),
        "peak-lr": peak_against_value(study),
    }


def lr_curves(best: Sequence[TrialRecord]) -> Figure:
    """The lr of each of these trials over the steps of its run."""
    lines = [(trial, lr_line(trial)) for trial in best]
    traces = [trace(trial_label(trial), line.x, line.y, mode="lines") for trial, line in lines]
    peaks = [max(line.y) for _, line in lines]
    far_apart = bool(peaks) and max(peaks) > FAR_APART * min(peaks)
    scale = {"type": "log"} if far_apart else {"rangemode": "tozero"}
    return figure("lr of the best trials", traces, "optimizer updates", "lr", yaxis=scale)


def learning_curves(value: str, best: Sequence[TrialRecord]) -> Figure:
    """What the evaluations of each of these trials found."""
    curves = [(trial_label(trial), trial.curve) for trial in best if trial.curve]
    traces = [trace(label, curve.steps, curve.values, mode="lines+markers") for label, curve in curves]
    return figure("What the best trials learned", traces, "optimizer updates", value)


def best_by_family_over_time(study: StudyRecord) -> Figure:
    """The best full run of each family so far against the epochs trained in the whole study; the best family first."""
    sign = study.metric.sign
    points: dict[str, list[tuple[float, float]]] = {}
    spent = 0.0
    for trial in study.trials:
        spent += trial.epochs_spent
        if trial.complete:
            own = points.setdefault(trial.family, [])
            if not own or sign * trial.value < sign * own[-1][1]:
                own.append((spent, trial.value))
    traces, looks = [], marks()
    for family in best_by_family(study):
        if family in points:
            x, y = zip(*points[family], (spent, points[family][-1][1]), strict=True)
            traces.append(trace(family, x, y, mode="lines+markers", line={"shape": "hv"}, marker=looks[family]))
    return figure("Best of each family", traces, "epochs trained", f"best {study.value_name}")


def peak_against_value(study: StudyRecord) -> Figure:
    """A dot for each trial that can be compared: its peak_lr, and its value at the first budget."""
    points: dict[str, list[tuple[float, float]]] = {}
    for trial, value in comparable(study):
        points.setdefault(trial.family, []).append((trial.peak_lr, value))
    looks = marks()
    traces = [
        trace(family, *zip(*points[family], strict=True), mode="markers", marker=looks[family])
        for family in best_by_family(study)
        if family in points
    ]
    after = f"{study.value_name} after {study.first_budget} epochs"
    return figure("peak_lr by family", traces, "peak_lr", after, xaxis={"type": "log"})


def marks() -> dict[str, dict[str, Any]]:
    """How each family is marked, the same in every figure and study."""
    looks = cycle({"color": color, "symbol": symbol} for symbol in SYMBOLS for color in COLORS)
    return dict(zip(FAMILIES, looks, strict=False))


def trial_label(trial: TrialRecord) -> str:
    """A trial in a legend."""
    return f"{trial.number} {trial.family}"


def trace(name: str, x: Sequence[float], y: Sequence[float | None], **others: Any) -> dict[str, Any]:
    """A line or dots, in four digits."""
    return {"type": "scatter", "name": name, "x": rounded(x), "y": rounded(y), **others}


def rounded(values: Sequence[float | None]) -> list[float | None]:
    """To four digits, which look the same; None for what is not finite."""
    return [float(f"{value:.4g}") if value is not None and math.isfinite(value) else None for value in values]


def figure(
    title: str,
    traces: list[dict[str, Any]],
    x: str,
    y: str,
    xaxis: dict[str, Any] | None = None,
    yaxis: dict[str, Any] | None = None,
) -> Figure:
    """A figure with a title and named axes; without traces it says that there are none yet."""
    shown = title if traces else f"{title}: no trial yet"
    axes = {"xaxis": {"title": {"text": x}, **(xaxis or {})}, "yaxis": {"title": {"text": y}, **(yaxis or {})}}
    return Figure(traces, {"title": {"text": shown}, "showlegend": True, **axes})
