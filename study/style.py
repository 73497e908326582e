"""One look for all figures."""

from __future__ import annotations

from typing import Any

BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK = "#56B4E9", "#CC79A7", "#000000"
"""Okabe and Ito's colours: the colour-blind can tell them apart."""
COLORS = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, BLACK)

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
