"""Intervals: against what they promise."""

import numpy as np
import pytest

from study.confirm import confirm
from study.statistics import mean_interval


def test_the_interval_covers_the_mean_as_often_as_it_says():
    """Of skewed samples too: 200 of 20 exponential values each, whose mean is 1."""
    draws = np.random.default_rng(5).exponential(size=(200, 20))
    covered = sum(low <= 1 <= high for _, low, high, _ in map(mean_interval, draws))
    assert 0.87 <= covered / 200 <= 0.99


def test_values_without_spread_have_no_width():
    assert mean_interval([3.0]) == (3.0, 3.0, 3.0, 1)
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5, 3)


def test_the_same_values_give_the_same_interval():
    values = [0.1, 0.4, 0.2, 0.9]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values).mean == pytest.approx(0.4)


def test_confirming_judges_on_test_with_fresh_seeds(workload):
    from search_spaces import Cosine

    errors = confirm(workload, Cosine(peak_lr=0.1), 2, [1000, 1001, 1000])
    assert errors[0] == errors[2]
    assert all(0 < error < 0.5 for error in errors)
    rows = len(workload.data.test.x)
    assert all(error * rows == pytest.approx(round(error * rows)) for error in errors), "whole rows of the test split"
    assert confirm(workload, Cosine(peak_lr=1e25), 1, [1000]) == [1.0]
