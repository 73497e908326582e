"""Each family has a colour of its own, legible on a white and on a dark page, also for the colour-blind."""

from itertools import combinations

import numpy as np
import pytest

from search_spaces import EVERY_FAMILY
from study.reports.plot_style import COLORS, FAMILY_COLORS, INK, OTHER, family_color
from tests.colors import PAGES, contrast, linear_rgb

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
SEEN_WITH = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB under D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (np.cbrt(np.clip(to_xyz @ rgb, 0, None) / (0.9505, 1, 1.089))).tolist()
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_every_family_has_a_colour():
    assert list(FAMILY_COLORS) == list(EVERY_FAMILY)
    assert len(set(FAMILY_COLORS.values())) == len(EVERY_FAMILY)
    assert family_color("rex") == FAMILY_COLORS["rex"]
    assert family_color("a family of one's own") == OTHER


@pytest.mark.parametrize("page", PAGES)
def test_colours_are_legible_on_both_pages(page):
    assert min(contrast(color, page) for color in (*FAMILY_COLORS.values(), *COLORS, INK, OTHER)) >= 2.99


@pytest.mark.parametrize("cones", SEEN_WITH)
def test_no_two_families_look_alike(cones):
    seen = {name: lab(np.clip(SEEN_WITH[cones] @ linear_rgb(color), 0, 1)) for name, color in FAMILY_COLORS.items()}
    distances = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(seen, 2)}
    assert min(distances.values()) > 8, min(distances, key=distances.__getitem__)
