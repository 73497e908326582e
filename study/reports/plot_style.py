"""One look for all figures."""

from __future__ import annotations

from typing import Any

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK = "#56B4E9", "#CC79A7", "#000000"
"""Okabe and Ito's colours: the colour-blind can tell them apart."""
COLORS = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK)

FAR_APART = 10.0
"""Learning rates are drawn on a log axis if the highest peak is more than this many times the lowest."""

LOOK: dict[str, Any] = {
    "axes.prop_cycle": f"cycler('color', {list(COLORS)})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.labelsize": 9,
    "font.size": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
}
"""Matplotlib settings, to be used with `matplotlib.style.context(["default", LOOK])`."""

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
"""That of figures within a page.

Their text is text: the browser hints it for the screen, and it can be selected, searched and read aloud. It is laid out
for DejaVu Sans, which is wider than the fonts that stand in for it elsewhere, so labels that fit here fit there. A name
is written as it is, whatever its characters.
"""

SVG_SAVE: dict[str, Any] = {"format": "svg", "metadata": dict.fromkeys(("Creator", "Date", "Format", "Type"))}
"""How these are saved: the same figure gives the same bytes."""
