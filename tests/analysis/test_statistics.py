"""Intervals against their nominal coverage, and comparisons of samples against their definitions."""

from itertools import combinations, product
from statistics import fmean

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import LinearRegression

from study.analysis.statistics import (
    best_of_k,
    explained,
    holm,
    mean_interval,
    median_interval,
    probability_of_improvement,
    product_term,
    t_interval,
    wilcoxon_p,
)
from study.search.confirm import confirm
from study.training.workload_objective import WorkloadObjective
from tests.helpers import trainer

WHOLE = st.integers(-4, 4).map(float)
"""Few values, so that many tie and many are 0."""


@pytest.mark.parametrize("n", range(2, 20))
def test_equal_values_have_an_interval_without_width(n):
    """Although 0.1 + 0.1 + 0.1 is not 0.3, in floats."""
    assert t_interval([0.1] * n) == (0.1, 0.1, 0.1, n)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    """Of skewed samples too: 200 of 20 exponential values each, whose mean is 1."""
    draws = np.random.default_rng(5).exponential(size=(200, 20))
    covered = sum(low <= 1 <= high for _, low, high, _ in map(mean_interval, draws))
    assert 0.87 <= covered / 200 <= 0.99


def test_the_interval_of_the_median_covers_it_as_often_as_it_says():
    """Of the same samples, whose median is the logarithm of 2; by the order it is never too short."""
    draws = np.random.default_rng(6).exponential(size=(400, 20))
    covered = sum(low <= np.log(2) <= high for _, low, high, _ in map(median_interval, draws))
    assert 0.93 <= covered / 400 <= 0.99


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([3.0, 1.0, 2.0], "2.0 [-, -]"),  # of three there is no interval of 95 %
        ([*range(14), *[np.inf] * 6], "9.5 [5.0, -]"),  # the 6th, and the 15th of 20
        ([*range(8), *[np.inf] * 12], "-"),
    ],
)
def test_medians_of_what_never_came(values, said):
    assert f"{median_interval(values):.1f}" == said


def test_values_without_spread_have_no_width():
    assert mean_interval([3.0]) == (3.0, 3.0, 3.0, 1)
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5, 3)


def test_the_same_values_give_the_same_interval():
    values = [0.1, 0.4, 0.2, 0.9]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values).mean == pytest.approx(0.4)


def test_confirming_evaluates_on_test_with_fresh_seeds(workload):
    from search_spaces import Cosine

    objective, executor = WorkloadObjective(workload), trainer(workload)
    errors = confirm(objective, executor, Cosine(peak_lr=0.1), 2, [1000, 1001, 1000])
    assert errors[0] == errors[2]
    assert all(0 < error < 0.5 for error in errors)
    rows = len(workload.data.test.x)
    assert all(error * rows == pytest.approx(round(error * rows)) for error in errors), "whole rows of the test split"
    assert confirm(objective, executor, Cosine(peak_lr=1e25), 1, [1000]) == [1.0]


@given(st.lists(st.floats(0, 1), max_size=8))
@example([0.01, 0.01, 0.03, 0.005])
def test_holm_rejects_what_its_steps_reject(p_values):
    """Holm's procedure at a level: reject in rising order, p(i) against level / (m - i), and stop at the first miss.

    An adjusted p-value is the smallest level at which its hypothesis falls; levels just beside it tell.
    """

    def rejected(level):
        found = set()
        for i, which in enumerate(sorted(range(len(p_values)), key=lambda which: p_values[which])):
            if p_values[which] * (len(p_values) - i) > level:
                break
            found.add(which)
        return found

    for which, adjusted in enumerate(holm(p_values)):
        assert p_values[which] <= adjusted <= 1
        assert which not in rejected(adjusted - 1e-9)
        assert adjusted == 1 or which in rejected(adjusted + 1e-9)


@pytest.mark.parametrize("true", [0.0, 0.3])
def test_a_product_term_is_that_of_another_fit_and_its_interval_covers_it(true):
    """Of a quadratic with noise, whose product term in the units drawn is known; scikit-learn fits the estimate."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(400):
        first, second = rng.uniform(-3, 1, 40), rng.normal(5, 2, 40)
        values = first + second**2 / 9 + true * first * second + rng.standard_normal(40)
        found = product_term(first, second, values)
        scale = first.std() * second.std() / values.std()
        covered += found.low <= true * scale <= found.high
        z, w, v = ((one - one.mean()) / one.std() for one in (first, second, values))
        other = LinearRegression().fit(np.column_stack([z, w, z**2, w**2, z * w]), v)
        assert found.mean == pytest.approx(other.coef_[-1])
        assert found.n == 40
    assert 0.92 <= covered / 400 <= 0.98


def test_a_product_term_that_cannot_be_fitted_is_unknown():
    rng = np.random.default_rng(0)
    first, second, values = rng.standard_normal((3, 20))
    assert product_term(first, second, values) is not None
    assert product_term(first[:6], second[:6], values[:6]) is None
    assert product_term(first, [5.0] * 20, values) is None
    assert product_term(first, second, [5.0] * 20) is None
    assert product_term(first, [1.0, 2.0] * 10, values) is None, "two values and their squares are one column"
    assert product_term(first, 3 - 2 * first, values) is None


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(WHOLE, min_size=1, max_size=8))
@example([0.0, 0.0, 0.0])
@example([1.0, 1.0, 2.0, -3.0, 0.0, 4.0])
def test_wilcoxon_counts_all_signs(differences):
    """Each of the 2^n ways to sign the ranks is as likely; as far from the middle as ours, or farther, counts."""
    magnitudes = [abs(one) for one in differences]
    ranks = [sum(b < a for b in magnitudes) + (sum(b == a for b in magnitudes) + 1) / 2 for a in magnitudes]
    ranks = [0 if a == 0 else rank for a, rank in zip(magnitudes, ranks, strict=True)]

    def off_middle(signs):
        return abs(sum(sign * rank for sign, rank in zip(signs, ranks, strict=True)))

    seen = off_middle(np.sign(differences))
    as_far = [off_middle(signs) >= seen for signs in product([-1, 1], repeat=len(ranks))]
    assert wilcoxon_p(differences) == pytest.approx(fmean(as_far))


@pytest.mark.parametrize("n", [5, 12, 30, 50])
def test_wilcoxon_is_scipys_where_scipys_is_exact(n):
    differences = np.random.default_rng(n).normal(0.3, 1, n).tolist()
    assert wilcoxon_p(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)
    tied = np.round(differences[:12], 1).tolist()
    assert wilcoxon_p(tied) == pytest.approx(stats.wilcoxon(tied, zero_method="pratt").pvalue)


def test_wilcoxon_of_no_difference_is_1():
    assert wilcoxon_p([0.0] * 12) == wilcoxon_p([0.0]) == wilcoxon_p([1.0]) == wilcoxon_p([1.0, -1.0]) == 1
    assert wilcoxon_p([0.1] * 12) == 2 / 2**12


@given(st.lists(WHOLE, min_size=1, max_size=6), st.lists(WHOLE, min_size=1, max_size=6))
def test_probability_of_improvement_counts_pairs(a, b):
    wins = sum((1.0 if x < y else 0.5 if x == y else 0.0) for x in a for y in b)
    assert probability_of_improvement(a, b, 1) == pytest.approx(wins / (len(a) * len(b)))
    u = stats.mannwhitneyu(b, a, method="asymptotic").statistic if len({*a, *b}) > 1 else len(a) * len(b) / 2
    assert probability_of_improvement(a, b, 1) == pytest.approx(u / (len(a) * len(b)))
    assert probability_of_improvement(a, b, -1) == pytest.approx(probability_of_improvement(b, a, 1))


def test_improvement_is_of_lower_errors():
    assert probability_of_improvement([0.1, 0.2], [0.3, 0.4], 1) == 1
    assert probability_of_improvement([0.1, 0.2], [0.3, 0.4], -1) == 0


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=7))
def test_the_best_of_k_is_the_mean_over_all_subsets(values):
    sizes = range(1, len(values) + 1)
    assert best_of_k(values, 1) == pytest.approx([fmean(map(min, combinations(values, k))) for k in sizes])
    assert best_of_k(values, -1) == pytest.approx([fmean(map(max, combinations(values, k))) for k in sizes])


def test_the_best_of_k_of_many():
    """Of 0 to n - 1 the best of k is (n - k) / (k + 1) on average; n is past where C(n, k) leaves the floats."""
    n = 1500
    assert best_of_k(range(n), 1) == pytest.approx([(n - k) / (k + 1) for k in range(1, n + 1)], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("values", [[], [0.1, float("nan")], [float("inf")]])
def test_what_is_no_number_is_refused(values):
    calls = [wilcoxon_p, lambda v: best_of_k(v, 1), lambda v: probability_of_improvement(v, [1.0], 1)]
    for call in [*calls, lambda v: probability_of_improvement([1.0], v, 1)]:
        with pytest.raises(ValueError, match="finite numbers are required, at least one: got "):
            call(values)


@pytest.mark.parametrize("p", [float("nan"), -0.1, 1.1])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(ValueError, match="p-values from 0 to 1 are required: got "):
        holm([0.5, p])


@given(st.lists(st.lists(st.floats(0, 1), min_size=2, max_size=9), min_size=2, max_size=5))
def test_the_variance_explained_is_omega_squared(groups):
    values = np.concatenate(groups)
    labels = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    if np.ptp(values) < 1e-3 or min(np.ptp(group) for group in groups) < 1e-3:
        return
    f, n, k = stats.f_oneway(*groups).statistic, len(values), len(groups)
    expected = max(0.0, (k - 1) * (f - 1) / ((k - 1) * (f - 1) + n))
    assert explained(values, labels) == pytest.approx(expected, abs=1e-9)
