"""How colours look: light, and contrast."""

import numpy as np
from matplotlib.colors import to_rgb

PAGES = ("#ffffff", "#0d1117")
"""A white page, and GitHub's dark one."""


def linear_rgb(color: str) -> np.ndarray:
    """Light of the three primaries, 0 to 1."""
    encoded = np.array(to_rgb(color))
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio."""
    low, high = sorted(float(linear_rgb(color) @ (0.2126, 0.7152, 0.0722)) for color in (one, other))
    return (high + 0.05) / (low + 0.05)
