"""The answer: which schedule to use, by winner and reference over the same seeds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from study.analysis.answer import Answer, recommended
from tests.answers import around, confirmed


def test_a_winner_that_is_significantly_better_is_recommended():
    study = confirmed(around(0.28), [0.31, 0.30, 0.32, 0.29, 0.31, 0.30, 0.31, 0.32])
    answer = Answer.of(study)
    assert (answer.recommended.family, answer.other.family) == ("rex", "cosine")
    paired = stats.ttest_rel(around(0.28), [0.31, 0.30, 0.32, 0.29, 0.31, 0.30, 0.31, 0.32]).confidence_interval()
    assert (answer.gain.low, answer.gain.high) == pytest.approx((-paired.high, -paired.low))
    alone = stats.ttest_1samp(around(0.28), 0).confidence_interval()
    assert (answer.value.low, answer.value.high) == pytest.approx(tuple(alone))
    assert answer.smallest_gain == pytest.approx((paired.high - paired.low) / 2)
    assert (answer.on_test, answer.tied, answer.confirming) == (True, False, 16)
    assert answer.full_runs == pytest.approx(2 * 22 / 20)
    assert recommended(study).family == "rex"


def test_a_tie_or_a_worse_winner_recommends_the_reference():
    tied = Answer.of(confirmed([0.3, 0.31, 0.29, 0.3], [0.31, 0.3, 0.3, 0.29]))
    assert (tied.recommended.family, tied.other.family, tied.tied) == ("cosine", "rex", True)
    worse = Answer.of(confirmed(around(0.33), [0.3] * 8))
    assert (worse.recommended.family, worse.tied) == ("cosine", False)
    assert 0 < worse.gain.low < worse.gain.mean == pytest.approx(0.03025, abs=1e-4)


def answer_of(*differences):
    """The answer if the winner's values are these points better than the reference's."""
    return Answer.of(confirmed([0.5] * len(differences), [0.5 + 0.01 * one for one in differences]))


@pytest.mark.parametrize(
    ("differences", "tied", "inconclusive"),
    [
        ((20, 39), True, True),  # larger than the seeds change it, and two seeds cannot show it
        ((0, 30), True, True),  # two seeds show next to nothing
        ((0, 0), True, False),  # nothing to show
        ((1, 2, 6), True, True),
        ((-6, -1, -2), True, True),
        ((-4, 1, 6), True, False),  # within what the seeds change
        ((8, 9, 9, 8, 7), False, False),
        ((1, 1, 9, 8, 0), True, False),
        ((2, 2, 3), False, False),
        ((-3, 4, -2, 5, 1, -1, 3, -2), True, False),
    ],
)
def test_a_difference_that_few_seeds_cannot_show_is_inconclusive(differences, tied, inconclusive):
    answer = answer_of(*differences)
    assert (answer.tied, answer.inconclusive) == (tied, inconclusive)
    assert answer.recommended.is_reference == tied


def test_with_seven_seeds_or_more_nothing_is_inconclusive():
    """A difference that is larger than its standard deviation is significant then."""
    for n, few in ((6, True), (7, False)):
        scatter = stats.zscore(range(n), ddof=1)
        answer = answer_of(*(1.01 + scatter))
        assert (answer.tied, answer.inconclusive) == (few, few)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
def test_swapping_the_two_or_the_direction_turns_the_difference_round(pairs):
    winner, reference = map(list, zip(*pairs, strict=True))
    one = Answer.of(confirmed(winner, reference))
    other = Answer.of(confirmed(winner, reference, "maximize"))
    if one.recommended.family == "rex":
        assert other.recommended.family == "cosine"
        assert other.gain == pytest.approx(one.gain)
    elif not one.tied:
        assert other.recommended.family == "rex"
    assert one.tied == other.tied


def test_a_diverged_run_has_the_worst_value_and_other_objectives_their_validation_value():
    runs = around(0.28)
    study = confirmed(runs, around(0.3))
    lost = replace(study.finals, runs=(study.finals.runs[0]._replace(test=None), *study.finals.runs[1:]))
    assert Answer.of(replace(study, finals=lost)).recommended.family == "cosine"
    without = Answer.of(confirmed(runs, around(0.3), test=False))
    assert (without.on_test, without.recommended.family) == (False, "rex")


def test_one_seed_tells_nothing_and_a_search_without_reference_compares_nothing():
    alone = Answer.of(confirmed([0.1], [0.3]))
    assert (alone.recommended.family, alone.tied) == ("cosine", True)
    winner = Answer.of(confirmed(around(0.28), None))
    assert (winner.recommended.family, winner.other, winner.gain) == ("rex", None, None)
    reference = Answer.of(confirmed(None, around(0.28)))
    assert (reference.recommended.family, reference.other) == ("cosine", None)


def test_there_is_no_answer_before_the_finals_have_ended():
    study = confirmed(around(0.28), around(0.3))
    assert Answer.of(replace(study, finals=None)) is None
    assert recommended(replace(study, finals=None)).family == "rex", "the best full run"
    unfinished = replace(study.finals, runs=study.finals.runs[:-1])
    assert Answer.of(replace(study, finals=unfinished)) is None
    assert Answer.of(replace(study, finals=replace(study.finals, winner=None))) is None
