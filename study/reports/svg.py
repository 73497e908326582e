"""The canvas of a report's figures: SVG that can be read without zooming on a phone, with the same bytes each time."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from scipy.optimize import isotonic_regression

from study.reports.plot_style import SVG_LOOK, SVG_SAVE

WIDTH = 4.5
"""Inches, 432 px: scaled down to the 330 px that a phone leaves, text of 9 points is still 9 px high."""
MOST_HIGHLIGHTED = 6
"""Lines of a figure that are named and coloured; any others are grey."""
FEWEST_DOTS = 3
"""Dots below which a plot of them shows nothing and is left out."""
LONGEST_LABEL = 28
"""Characters; a longer label would leave too little room for the plot."""
LETTERS_ABREAST = 42
"""Characters of the titles of all panels in a row, together."""
LABEL_SIZE = 8
"""Points."""

P = ParamSpec("P")


class End(NamedTuple):
    """The end of a line, in data coordinates, with the line's colour and its name."""

    x: float
    y: float
    color: str
    label: str


def as_svg(draw: Callable[P, Figure]) -> Callable[P, bytes]:
    """The same function, but it returns its figure as an SVG element, for a file or for an HTML page."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> bytes:
        with style.context(["default", SVG_LOOK]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # in the font of the layout; the browser has others
            picture = io.BytesIO()
            draw(*args, **kwargs).savefig(picture, **SVG_SAVE)
        return picture.getvalue()[picture.getvalue().index(b"<svg") :]  # HTML has no place for XML's preamble

    return drawn


def blank(height: float) -> Figure:
    """An empty figure; height in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def shortened(label: str, most: int = LONGEST_LABEL) -> str:
    """A label that fits, cut with an ellipsis, without the control characters that XML cannot hold.

    >>> shortened("abcdefghijklmnopqrstuvwxyz and more")
    'abcdefghijklmnopqrstuvwxyz …'
    """
    label = "".join(character if character.isprintable() else " " for character in label)
    return label if len(label) <= most else label[: most - 1] + "…"


def plain(number: float) -> str:
    """A number for an axis, in two digits.

    >>> plain(0.143), plain(0.00001), plain(20)
    ('0.14', '1e-5', '20')
    """
    mantissa, _, exponent = f"{number:.2g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent and number < 1 else f"{float(number):.2g}"


def log_scale(axes: Axes, axis: Axis, low: float, high: float, most_ticks: int) -> None:
    """Make an axis logarithmic, from low to high a decade at least, with at most this many ticks, at powers of 10."""
    widened = max(1.0, np.sqrt(10 * low / high)) * 1.15
    low, high = low / widened, high * widened
    (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
    (axes.set_xlim if axis is axes.xaxis else axes.set_ylim)(low, high)
    powers = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    ticks = 10.0 ** powers[:: int(np.ceil(len(powers) / most_ticks))]
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: plain(value))


def end_dot(at: int) -> dict[str, Any]:
    """How to plot a line with a dot at its end, so that a line of one point can be seen too."""
    return {"marker": "o", "markersize": 3, "markevery": [at]}


def label_ends(axes: Axes, ends: Sequence[End]) -> None:
    """Name each line to the right of the axes, at the height of its end or as near to it as the other names allow.

    A line that ends earlier is continued by a dotted one. Call it when the limits of the axes are final.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # settles the height of the axes
    ends = sorted(ends, key=lambda end: (axes.transData.transform((end.x, end.y))[1], end.label))
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(to_axes.transform((end.x, end.y))[1]) for end in ends]
    gap = 1.3 * LABEL_SIZE / 72 * figure.dpi / axes.bbox.height
    right = float(axes.get_xlim()[1])
    for end, height in zip(ends, spread_out(heights, gap), strict=True):
        axes.plot([end.x, right], [end.y, end.y], color=end.color, linestyle=":", linewidth=0.8, zorder=1)
        axes.annotate(
            shortened(end.label),
            (right, end.y),
            (1.07, height),
            textcoords="axes fraction",
            verticalalignment="center",
            fontsize=LABEL_SIZE,
            arrowprops={"arrowstyle": "-", "color": end.color, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 1},
            annotation_clip=False,
        )
    axes.set_xlim(right=right)


def spread_out(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, moved as little as possible (by least squares) so that neighbours are at least gap apart.

    All stay between 0 and 1 if there is room; otherwise the last is 1.

    >>> [round(height, 2) for height in spread_out([0.1, 0.5, 0.5], 0.1)]
    [0.1, 0.45, 0.55]
    >>> [round(height, 2) for height in spread_out([0.0, 0.0, 1.0], 0.2)]
    [0.0, 0.2, 1.0]
    """
    offsets = gap * np.arange(len(heights))
    moved = isotonic_regression(np.asarray(heights) - offsets).x.clip(0, None).clip(None, 1 - offsets[-1])
    return [float(height) for height in moved + offsets]
