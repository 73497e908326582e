"""The figures of a study for optuna-dashboard, as plotly's JSON.

They are written as plotly.js reads them, without the package plotly: to make its first figure takes that 0.15 s, a
twentieth of a short study, and its default template alone has 7 kB. tests/test_dashboard_figures.py has plotly check
every one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from search_spaces import FAMILIES
from study.analysis.importance import comparable, first_horizon
from study.analysis.summary import best_by_family, value_name
from study.reports.dashboard.lr_curve import lr_line
from study.reports.plot_style import COLORS
from study.storage.records import better_first, spent_epochs

MOST_BEST = 6
"""Trials whose curves are drawn."""
SYMBOLS = ("circle", "diamond", "x")
"""With COLORS, a mark for each of fifteen families and more."""
FAR_APART = 10.0
"""Learning rates are drawn on a log axis where the highest peak is more than so many times the lowest."""


@dataclass(frozen=True)
class Figure:
    """A figure: traces and layout, by plotly's names. The dashboard asks it for `to_json` only."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]

    def to_json(self) -> str:
        """As plotly.js reads it."""
        return json.dumps({"data": self.data, "layout": self.layout}, allow_nan=False, separators=(",", ":"))


def figures(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> dict[str, Figure]:
    """All of them, by the id that each is kept under; for a study in any state. trials: the finished ones."""
    best = best_trials(optuna_study, trials)
    return {
        "lr-curves": lr_curves(best),
        "learning-curves": learning_curves(value_name(optuna_study), best),
        "best-by-family": best_by_family_over_time(optuna_study, trials),
        "peak-lr": peak_against_value(optuna_study, trials),
    }


def best_trials(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The best that ran to their end, the best first."""
    sign = better_first(optuna_study)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:MOST_BEST]


def lr_curves(best: Sequence[FrozenTrial]) -> Figure:
    """The lr of each of these trials over the updates of its run."""
    lines = [(trial, lr_line(trial)) for trial in best]
    traces = [trace(name_of(trial), line.x, line.y, mode="lines") for trial, line in lines]
    peaks = [max(line.y) for _, line in lines]
    far_apart = bool(peaks) and max(peaks) > FAR_APART * min(peaks)
    scale = {"type": "log"} if far_apart else {"rangemode": "tozero"}
    return figure("lr of the best trials", traces, "optimizer updates", "lr", yaxis=scale)


def learning_curves(value: str, best: Sequence[FrozenTrial]) -> Figure:
    """What the evaluations of each of these trials found."""
    curves = [(trial, trial.user_attrs["curve"]) for trial in best]
    traces = [trace(name_of(trial), curve["step"], curve[value], mode="lines+markers") for trial, curve in curves]
    return figure("What the best trials learned", traces, "optimizer updates", value)


def best_by_family_over_time(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> Figure:
    """The best full run of each family so far against the epochs trained in the whole study; the best family first."""
    sign = better_first(optuna_study)
    points: dict[str, list[tuple[float, float]]] = {}
    spent = 0.0
    for spent, trial in zip(accumulate(map(spent_epochs, trials)), trials, strict=True):
        if trial.state == TrialState.COMPLETE and trial.value is not None:
            own = points.setdefault(trial.params["family"], [])
            if not own or sign * trial.value < sign * own[-1][1]:
                own.append((spent, trial.value))
    traces, looks = [], marks()
    for family in best_by_family(optuna_study, trials):
        if family in points:
            x, y = zip(*points[family], (spent, points[family][-1][1]), strict=True)
            traces.append(trace(family, x, y, mode="lines+markers", line={"shape": "hv"}, marker=looks[family]))
    return figure("Best of each family", traces, "epochs trained", f"best {value_name(optuna_study)}")


def peak_against_value(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> Figure:
    """A dot for each trial: its peak_lr, and its value at the first horizon, the one that all trials had."""
    points: dict[str, list[tuple[float, float]]] = {}
    for trial, value in comparable(optuna_study, trials):
        points.setdefault(trial.params["family"], []).append((trial.params["peak_lr"], value))
    looks = marks()
    traces = [
        trace(family, *zip(*points[family], strict=True), mode="markers", marker=looks[family])
        for family in best_by_family(optuna_study, trials)
        if family in points
    ]
    after = f"{value_name(optuna_study)} after {first_horizon(optuna_study)} epochs"
    return figure("peak_lr by family", traces, "peak_lr", after, xaxis={"type": "log"})


def marks() -> dict[str, dict[str, Any]]:
    """How each family is marked, the same in every figure and study."""
    looks = cycle({"color": color, "symbol": symbol} for symbol in SYMBOLS for color in COLORS)
    return dict(zip(FAMILIES, looks, strict=False))


def name_of(trial: FrozenTrial) -> str:
    """A trial in a legend."""
    return f"{trial.number} {trial.params['family']}"


def trace(name: str, x: Sequence[float], y: Sequence[float | None], **others: Any) -> dict[str, Any]:
    """A line or dots, in four digits."""
    return {"type": "scatter", "name": name, "x": rounded(x), "y": rounded(y), **others}


def rounded(values: Sequence[float | None]) -> list[float | None]:
    """What is drawn cannot be told from it; None where there is no finite value."""
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
