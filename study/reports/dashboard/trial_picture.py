"""The picture of a run: panels one above the other over the same steps, as SVG, without a library.

A study draws one for every trial that ran to its end. Matplotlib takes some 50 ms for it, noticeable beside the
training of a small network; this takes less than one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from study.reports.plot_style import OTHER

WIDTH, LEFT, RIGHT = 480, 72, 16
TOP, PANEL, GAP = 40, 130, 48
"""Pixels: the title, the height of a panel, and the space between two."""


class Panel(NamedTuple):
    """A line, and what is on its axis. low: where the axis begins at the latest; None: at the lowest value.

    x and y: of equal length. A y that is None or not finite is left out.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: float | None = None


def run_picture(title: str, panels: Sequence[Panel], color: str) -> str:
    """An SVG document in which panels share their x axis, optimizer steps, which ends at the largest x.

    color: of the lines. The background is transparent and the text grey: it is legible on light and dark pages.
    """
    most = max((x for panel in panels for x in panel.x), default=0) or 1
    height = TOP + len(panels) * (PANEL + GAP) - 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="15" fill="{OTHER}">',
        f'<text x="8" y="20" font-size="18" font-weight="bold" fill="{color}">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += drawn(panel, most, TOP + 18 + number * (PANEL + GAP), color)
    bottom = height - GAP + 40
    parts += [
        f'<text x="{LEFT}" y="{bottom}">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{bottom}" text-anchor="end">{most:g}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom}" text-anchor="middle">step</text>',
        "</svg>",
    ]
    return "\n".join(parts)


def drawn(panel: Panel, most: float, top: int, color: str) -> list[str]:
    """The elements of a panel; most: where its x axis ends; top: where it begins, in pixels."""
    points = [(x, y) for x, y in zip(panel.x, panel.y, strict=True) if y is not None and math.isfinite(y)]
    heights = [y for _, y in points] + ([] if panel.low is None else [panel.low])
    low, high = min(heights, default=0.0), max(heights, default=0.0)
    span, across = (high - low) or 1.0, WIDTH - LEFT - RIGHT
    line = " ".join(f"{LEFT + across * x / most:.1f},{top + PANEL * (high - y) / span:.1f}" for x, y in points)
    bottom = top + PANEL
    return [
        f'<text x="{LEFT + 8}" y="{top - 8}">{escape(panel.name)}</text>',
        f'<path d="M{LEFT} {top}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="{OTHER}"/>',
        f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{high:.3g}</text>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">{low:.3g}</text>' if high > low else "",
        f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2.5" stroke-linejoin="round"/>',
    ]
