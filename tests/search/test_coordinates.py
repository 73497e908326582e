"""Parameters as points, and back."""

import numpy as np
import pytest

from search_spaces.ranges import Choice, Float, Integer
from study.search.samplers.coordinates import Coordinates

COORDINATES = Coordinates(
    {
        "family": Choice(("cosine", "rex", "wsd")),
        "peak_lr": Float(1e-3, 10.0, log=True),
        "share": Float(0.2, 0.6),
        "cycles": Integer(2, 5),
        "flag": Choice((True, False)),
    }
)


def test_points_are_positions_and_shares():
    params = {"family": "rex", "peak_lr": 0.1, "share": 0.3, "cycles": 5, "flag": False, "rex.other": 1.0}
    assert COORDINATES.points([params]).tolist() == [pytest.approx([1, 0.5, 0.25, 1, 1])]


def test_parameters_of_points_have_these_points():
    points = COORDINATES.drawn(200, np.random.default_rng(0))
    params = [COORDINATES.params(point) for point in points]
    assert COORDINATES.points(params) == pytest.approx(points, abs=1e-12)
    assert all(type(one["cycles"]) is int and 2 <= one["cycles"] <= 5 for one in params)
    assert all(1e-3 <= one["peak_lr"] <= 10 and 0.2 <= one["share"] <= 0.6 for one in params)


def test_the_ends_of_the_ranges_are_exact():
    first = {"family": "cosine", "peak_lr": 1e-3, "share": 0.2, "cycles": 2, "flag": True}
    last = {"family": "wsd", "peak_lr": 10.0, "share": 0.6, "cycles": 5, "flag": False}
    for ends in (first, last):
        assert COORDINATES.params(COORDINATES.points([ends])[0]) == ends


def test_drawn_values_are_equally_likely():
    params = [COORDINATES.params(point) for point in COORDINATES.drawn(6000, np.random.default_rng(0))]
    for name, values in {"family": ("cosine", "rex", "wsd"), "cycles": (2, 3, 4, 5), "flag": (True, False)}.items():
        counts = [sum(one[name] == value for one in params) for value in values]
        assert counts == pytest.approx([6000 / len(values)] * len(values), rel=0.1)
    assert np.median([one["peak_lr"] for one in params]) == pytest.approx(0.1, rel=0.15)


def test_in_columns_two_options_are_1_apart_and_numbers_by_their_shares():
    points = np.array([[0, 0.5, 0.2, 0, 0], [2, 0.5, 0.2, 0, 0], [2, 0.1, 0.2, 0, 1]])
    columns = COORDINATES.columns(points)
    assert columns.shape == (3, 8)
    assert np.linalg.norm(columns[0] - columns[1]) == pytest.approx(1)
    assert np.linalg.norm(columns[1] - columns[2]) == pytest.approx(np.hypot(0.4, 1))
    assert COORDINATES.parameter_of_column == [0, 0, 0, 1, 2, 3, 4, 4]
