"""A figure as plotly.js reads it, legible on the dashboard's light and dark pages.

It is written without the package plotly: to make its first figure takes that 0.15 s, a twentieth of a short study, and
its default template alone has 7 kB. A test has plotly check every figure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.reports.plot_style import OTHER

GRID = "rgba(128,128,128,0.25)"
CLEAR = "rgba(0,0,0,0)"
ABOVE = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "bgcolor": CLEAR, "font": {"size": 11}}
"""A legend of few entries above the plot, which leaves it the whole width."""


@dataclass(frozen=True)
class PlotlyFigure:
    """Traces and layout, by plotly's names. The dashboard asks it for `to_json` only."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]

    def to_json(self) -> str:
        """As plotly.js reads it."""
        return json.dumps({"data": self.data, "layout": self.layout}, allow_nan=False, separators=(",", ":"))


def titled(
    title: str,
    traces: list[dict[str, Any]],
    x: str,
    y: str,
    xaxis: dict[str, Any] | None = None,
    yaxis: dict[str, Any] | None = None,
    **layout: Any,
) -> PlotlyFigure:
    """A figure with a title and named axes; without traces it says that there is nothing to show yet."""
    shown = title if traces else f"{title}: no trial yet"
    line = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": OTHER, "automargin": True}
    axes = {
        "xaxis": {"title": {"text": x}, **line, **(xaxis or {})},
        "yaxis": {"title": {"text": y}, **line, **(yaxis or {})},
    }
    look = {
        "font": {"color": OTHER},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "hovermode": "closest",
        "legend": {"bgcolor": CLEAR, "font": {"size": 11}},
        "margin": {"l": 60, "r": 20, "t": 90, "b": 50},
    }
    return PlotlyFigure(
        traces, {"title": {"text": shown, "y": 0.97, "yanchor": "top"}, "showlegend": True, **look, **axes, **layout}
    )


def trace(name: str, x: Sequence[float | None], y: Sequence[float | None], **others: Any) -> dict[str, Any]:
    """A line or dots, in four digits; None breaks a line."""
    return {"type": "scatter", "name": name, "x": rounded(x), "y": rounded(y), **others}


def cloud(
    name: str, lines: Sequence[tuple[Sequence[float], Sequence[float]]], dots: bool = False
) -> list[dict[str, Any]]:
    """Many lines as one thin grey trace, with dots or without; nothing if there are none."""
    x = [value for xs, _ in lines for value in (*xs, None)]
    y = [value for _, ys in lines for value in (*ys, None)]
    mode = "lines+markers" if dots else "lines"
    look = {"mode": mode, "line": {"color": OTHER, "width": 1}, "marker": {"size": 4}, "opacity": 0.5, "legendrank": 9}
    return [trace(name, x, y, hoverinfo="skip", **look)] if lines else []


def rounded(values: Sequence[float | None]) -> list[float | None]:
    """To four digits, which look the same; None for what is not finite."""
    return [float(f"{value:.4g}") if value is not None and math.isfinite(value) else None for value in values]
