"""Verdicts: the best family, ties, and what the seeds can resolve; and the sources of variance of a result."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search_spaces import FAMILIES
from study.analysis.ranking import LEVEL, RULE, gaps, seeds_needed, standings, variance_split
from study.analysis.statistics import mean_interval, probability_of_improvement, wilcoxon_p

THOUSANDTHS = st.integers(0, 6).map(lambda rows: rows / 1000)
"""Errors of a test split of 1000 rows: their differences tie, but for the rounding of floats."""
ARMS = st.integers(1, 8).flatmap(
    lambda n: st.fixed_dictionaries(
        {name: st.lists(THOUSANDTHS, min_size=n, max_size=n) for name in ("constant", "cosine", "step")}
    )
)
SEEDS = 12
NOISE = np.random.default_rng(7).normal(0, 0.01, SEEDS)
"""What the seeds do to all arms alike."""


def by_name(values, direction="minimize", **more):
    return {standing.name: standing for standing in standings(values, direction, **more)}


def p_values(values, direction="minimize"):
    found = by_name(values, direction)
    return {name: (one.p_best, one.p_control, one.improvement, one.tied_with_best) for name, one in found.items()}


def test_standings_of_arms_that_differ():
    """The seeds' common noise is ten times the gap between cosine and step, and pairing takes it away."""
    wobble = np.random.default_rng(8).normal(0, 0.0002, (3, SEEDS))
    values = {
        "constant": (0.34 + NOISE).tolist(),
        "step": (0.301 + NOISE + wobble[0]).tolist(),
        "cosine": (0.300 + NOISE + wobble[1]).tolist(),
        "twin": (0.300 + NOISE + wobble[2]).tolist(),
    }
    found = standings(values, "minimize")
    assert {one.name for one in found[:2]} == {"cosine", "twin"}
    assert [one.name for one in found[2:]] == ["step", "constant"]
    assert [one.tied_with_best for one in found] == [True, True, False, False]
    best, _, step, constant = found
    differences = [a - b for a, b in zip(values["step"], values[best.name], strict=True)]
    assert tuple(step.to_best) == pytest.approx(tuple(mean_interval(differences)), abs=1e-6)
    assert step.mean == mean_interval(values["step"])
    assert step.n == SEEDS
    # Step and constant are worse on every seed: the smallest p there is, times 3; Holm's times 2 may not fall below.
    least = 2 / 2**SEEDS
    assert wilcoxon_p(differences) == least
    assert step.p_best == constant.p_best == 3 * least
    assert step.p_control == best.p_control == 3 * least
    assert step.to_control.high < 0 < constant.to_best.low
    assert step.improvement == probability_of_improvement(values["step"], values["constant"], 1) > 0.9


def test_an_arm_against_itself():
    values = {"constant": [0.3, 0.4, 0.5], "cosine": [0.1, 0.3, 0.2]}
    best, control = standings(values, "minimize")
    assert (best.name, best.to_best, best.p_best, best.tied_with_best) == ("cosine", (0, 0, 0, 3), 1, True)
    assert (control.name, control.to_control, control.p_control) == ("constant", (0, 0, 0, 3), 1)
    assert control.improvement == 0.5


def test_a_tie_begins_at_the_level():
    (only,) = standings({"cosine": [0.1]}, "minimize")
    assert [replace(only, p_best=p).tied_with_best for p in (0.0499, LEVEL, 0.0501)] == [False, True, True]


@pytest.mark.parametrize("others", [1, 14])
def test_each_question_is_corrected_for_its_own_comparisons(others):
    """Rivals worse than the best on all seeds and better than the control on all: p times their number, not twice."""
    values = {"best": NOISE.tolist(), "constant": (1 + NOISE).tolist()}
    values |= {f"rival {i}": (0.1 + NOISE).tolist() for i in range(others - 1)}
    found = by_name(values)
    assert found["constant"].p_best == found["best"].p_control == pytest.approx(others * 2 / 2**SEEDS)


def test_without_the_control_nothing_is_said_of_it():
    values = {"cosine": [0.1, 0.2], "step": [0.3, 0.5]}
    for one in standings(values, "minimize"):
        assert (one.to_control, one.p_control, one.improvement) == (None, None, None)
    assert by_name(values, control="step")["cosine"].to_control.mean == pytest.approx(-0.25)


@pytest.mark.parametrize("name", ["constant", "cosine"])
def test_one_arm_is_the_best(name):
    (only,) = standings({name: [0.2, 0.3, 0.3]}, "maximize")
    assert only.tied_with_best
    assert only.p_best == 1
    assert only.p_control == (1 if name == "constant" else None)


def test_one_seed_tells_nothing():
    best, worst = standings({"constant": [0.5], "cosine": [0.1]}, "minimize")
    assert best.name == "cosine"
    assert worst.mean == (0.5, 0.5, 0.5, 1)
    assert worst.to_best == (0.4, 0.4, 0.4, 1)
    assert (worst.p_best, best.p_control, worst.tied_with_best) == (1, 1, True)


def test_equal_arms_tie_and_stand_by_name():
    values = [0.3, 0.1, 0.2, 0.4] * 3
    found = standings({"step": values, "constant": values, "cosine": values[::-1]}, "minimize")
    assert [one.name for one in found] == ["constant", "cosine", "step"], "though the floats' sums may differ"
    assert all(one.tied_with_best and one.p_control == 1 and one.improvement == 0.5 for one in found)
    assert found[2].to_best == (0, 0, 0, 12)


def test_differences_that_only_rounding_parts_are_equal():
    assert 0.3 - 0.2 != 0.2 - 0.1
    assert gaps([0.3, 0.2], [0.2, 0.1]) == [0.1, 0.1]


@settings(max_examples=15, deadline=None)
@given(ARMS, st.integers(-50, 50))
def test_a_constant_added_to_all_arms_changes_no_verdict(values, constant):
    shifted = {name: [constant + value for value in of_arm] for name, of_arm in values.items()}
    assert list(p_values(shifted).items()) == list(p_values(values).items()), "nor the order"


@settings(max_examples=15, deadline=None)
@given(ARMS, st.randoms(use_true_random=False))
def test_the_order_of_the_seeds_changes_no_verdict(values, random):
    order = list(range(len(values["constant"])))
    random.shuffle(order)
    shuffled = {name: [of_arm[i] for i in order] for name, of_arm in values.items()}
    assert list(p_values(shuffled).items()) == list(p_values(values).items())


def test_the_pairing_of_the_seeds_changes_the_verdict():
    paired = {"constant": NOISE.tolist(), "cosine": (NOISE - 0.001).tolist()}
    assert not by_name(paired)["constant"].tied_with_best
    assert by_name(paired | {"cosine": np.roll(paired["cosine"], 1).tolist()})["constant"].tied_with_best


@settings(max_examples=10, deadline=None)
@given(ARMS)
def test_maximizing_the_negated_values_is_minimizing(values):
    """The same order and p-values; the intervals are mirrored."""
    means = [round(sum(of_arm), 9) for of_arm in values.values()]
    assume(len(set(means)) == len(means))
    negated = {name: [-value for value in of_arm] for name, of_arm in values.items()}
    for one, other in zip(standings(values, "minimize"), standings(negated, "maximize"), strict=True):
        assert (one.name, one.p_best, one.p_control) == (other.name, other.p_best, other.p_control)
        assert one.improvement == other.improvement
        for ours, theirs in [(one.mean, other.mean), (one.to_best, other.to_best), (one.to_control, other.to_control)]:
            assert (ours.mean, ours.low, ours.high) == pytest.approx((-theirs.mean, -theirs.high, -theirs.low))


@pytest.mark.parametrize(
    ("values", "direction", "message"),
    [
        (
            {"constant": [0.1, 0.2], "step": [0.1]},
            "minimize",
            "all with the same number of values: got constant 2, step 1",
        ),
        ({}, "minimize", "at least one arm is required.*got none"),
        ({"constant": []}, "minimize", "finite numbers are required"),
        ({"constant": [0.1], "step": [float("nan")]}, "minimize", r"finite numbers are required.*\[nan\]"),
        ({"constant": [0.1]}, "lower", "must be minimize or maximize: got 'lower'"),
    ],
)
def test_what_cannot_be_judged_is_refused(values, direction, message):
    with pytest.raises(ValueError, match=message):
        standings(values, direction)


@pytest.mark.parametrize("comparisons", [1, 2, 14, 105])
def test_the_fewest_seeds_that_can_tell(comparisons):
    """One arm is worse on every seed, the others are the best again: the first number of seeds that tells."""

    def told(n):
        equal = {f"equal {i}": [0.0] * n for i in range(comparisons)}
        return not by_name(equal | {"worse": list(range(1, n + 1))})["worse"].tied_with_best

    assert seeds_needed(comparisons) == next(n for n in count(1) if told(n))


def test_twelve_seeds_leave_room_for_two_differences_of_0_and_ten_for_none():
    for n, zeros, tells in [(10, 0, True), (10, 1, False), (12, 2, True), (12, 3, False)]:
        assert (14 * wilcoxon_p([0.0] * zeros + [1.0] * (n - zeros)) < LEVEL) == tells


@pytest.mark.parametrize(("comparisons", "level"), [(0, 0.05), (1, 0.0), (1, float("nan"))])
def test_seeds_for_nothing_are_refused(comparisons, level):
    with pytest.raises(ValueError, match="at least 1 comparison and a level in"):
        seeds_needed(comparisons, level)


def test_the_rule_states_the_level_that_is_applied_and_the_seeds_that_are_needed():
    rule = " ".join(RULE.split())
    assert f"{LEVEL} or more is statistically tied with it" in rule
    assert len(FAMILIES) == 15
    assert f"fewer than {seeds_needed(14)} seeds no difference among fifteen families can be significant" in rule
    for n, told in [(9, False), (10, True)]:
        equal = {f"equal {i}": [0.0] * n for i in range(14)}
        assert (not by_name(equal | {"worse": [1.0] * n})["worse"].tied_with_best) == told


def test_variances_are_told_apart():
    """Of 2000 searches of sd 0.02 with 5 seeds each of sd 0.05; the estimates' own sd is about 3 and 1 percent."""
    random = np.random.default_rng(3)
    values = 0.3 + random.normal(0, 0.02, (2000, 1)) + random.normal(0, 0.05, (2000, 5))
    search_sd, seed_sd = variance_split(values.tolist())
    assert search_sd == pytest.approx(0.02, rel=0.15)
    assert seed_sd == pytest.approx(0.05, rel=0.05)


def test_variances_by_hand():
    """Row means 1, 3, 8 of variance 13; within rows the variance is 2; 13 - 2 / 2 = 12."""
    assert variance_split([[0, 2], [2, 4], [7, 9]]) == pytest.approx((12**0.5, 2**0.5))


def test_searches_that_differ_less_than_their_seeds_explain():
    assert variance_split([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx((0, 0.5**0.5))
    assert variance_split([[0.2, 0.2], [0.4, 0.4]]) == pytest.approx((0.02**0.5, 0))


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]], [[0.1], [0.2]], [[0.1, 0.2], [0.1]]])
def test_too_few_values_to_split_are_refused(values):
    with pytest.raises(ValueError, match="at least two rows of equal length, at least 2, are required: got lengths"):
        variance_split(values)


def test_a_split_of_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite numbers are required"):
        variance_split([[0.1, float("nan")], [0.1, 0.2]])
