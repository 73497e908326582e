"""One look for all figures."""

from __future__ import annotations

from typing import Any

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""Okabe and Ito's colours that are legible on a white and on a dark page: the colour-blind can tell them apart."""
INK = "#757C85"
"""Text and axes: a grey with the same contrast to white and to GitHub's dark page, 4.2 and 4.5."""
COLORS = (BLUE, VERMILION, GREEN, PURPLE, "#7A4FF0", "#A08000", INK)
"""Of lines that are not families, in order."""

FAMILY_COLORS = {
    "constant": "#808080",
    "step": "#C836AE",
    "multistep": "#BA1061",
    "exponential": "#52A056",
    "inverse_time": "#AC86C2",
    "inverse_sqrt": "#6972CD",
    "polynomial": "#FF3899",
    "linear": "#3E7003",
    "cosine": "#682FFF",
    "warm_restarts": "#961ACE",
    "cyclic": "#F342F9",
    "one_cycle": "#DB7003",
    "wsd": "#DD0800",
    "rex": "#0397FF",
    "plateau": "#6C5881",
    "piecewise": "#04A46E",
    "schedule_free": "#F15449",
    "greedy": "#8E5441",
}
"""Each family has one colour in every figure.

Found by simulated annealing: the contrast with a white page and with GitHub's dark one is 3 or more, and the least
distance between any two is as large as could be found, for the colour-blind too (OKLab, Machado's simulation of the
three kinds). The control is grey. Those of the rivals came later, as far from the others as could be found.
"""
OTHER = "#808080"
"""The colour of what has none of its own; legible on a white and on a dark page."""

FAR_APART = 10.0
"""Learning rates are drawn on a log axis if the highest peak is more than this many times the lowest."""

LOOK: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.prop_cycle": f"cycler('color', {list(COLORS)})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "figure.labelsize": 9,
    "font.size": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
"""Matplotlib settings, to be used with `matplotlib.style.context(["default", LOOK])`.

Figures have no background, and colours that can be read on a white page and on a dark one.
"""

SAVE: dict[str, Any] = {"format": "png", "metadata": {"Software": None}}
"""How figures are saved: the same figure gives the same bytes."""

SVG_LOOK: dict[str, Any] = {
    **LOOK,
    "axes.formatter.useoffset": False,
    "axes.titlesize": 9,
    "font.size": 9,
    "legend.fontsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "learning-rate-study",
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}
"""The settings of figures within a page.

Their text is text: the browser hints it for the screen, and it can be selected, searched and read aloud. It is laid out
for DejaVu Sans, which is wider than the fonts that stand in for it elsewhere, so labels that fit here fit there. A name
is written as it is, whatever its characters.
"""

SVG_SAVE: dict[str, Any] = {"format": "svg", "metadata": dict.fromkeys(("Creator", "Date", "Format", "Type"))}
"""How these are saved: the same figure gives the same bytes."""


def family_color(name: str) -> str:
    """The colour of a family as a hex code, the same in every figure; OTHER if the family has none."""
    return FAMILY_COLORS.get(name, OTHER)
