"""The answer in words."""

from dataclasses import replace

import pytest

from study.analysis.answer import Answer
from study.objective import Metric
from study.reports.answer import answer_in_words, best_against_reference
from tests.answers import around, confirmed


def words(study):
    return answer_in_words(study, Answer.of(study))


@pytest.mark.parametrize(
    ("winner", "reference", "said"),
    [
        (
            around(0.28),
            [0.31, 0.30, 0.32, 0.29, 0.31, 0.30, 0.31, 0.32],
            "Use REX, peak 0.27: test error 28.0 % [27.7, 28.3] over 8 seeds, 2.7 points [1.6, 3.8] better than cosine "
            "at its best peak, 0.2 (8 seeds can show 1.1 points).",
        ),
        (
            [0.3, 0.31, 0.29, 0.3],
            [0.31, 0.3, 0.3, 0.29],
            "Use cosine, peak 0.2: test error 30.0 % [28.7, 31.3] over 4 seeds; the best found (REX, peak 0.27) is "
            "statistically tied with it (4 seeds can show 1.8 points).",
        ),
        (
            around(0.33),
            [0.3] * 8,
            "Use cosine, peak 0.2: test error 30.0 % [30.0, 30.0] over 8 seeds; the best found (REX, peak 0.27) is "
            "3.0 points [2.7, 3.3] worse (8 seeds can show 0.3 points).",
        ),
        (
            [0.1],
            [0.3],
            "Use cosine, peak 0.2: test error 30.0 % over 1 seed; the best found (REX, peak 0.27) cannot be compared "
            "with it by one seed.",
        ),
        (
            [0.48, 0.508],
            [0.7, 0.878],
            "Use cosine, peak 0.2: test error 78.9 % [-34.2, 192.0] over 2 seeds; the best found (REX, peak 0.27) is "
            "29.5 points better with these seeds, which is inconclusive (2 seeds can show 95.3 points).",
        ),
        (
            [0.4, 0.3, 0.5],
            [0.3, 0.1, 0.45],
            "Use cosine, peak 0.2: test error 28.3 % [-15.3, 72.0] over 3 seeds; the best found (REX, peak 0.27) is "
            "11.7 points worse with these seeds, which is inconclusive (3 seeds can show 19.0 points).",
        ),
        (around(0.28), None, "Use REX, peak 0.27: test error 28.0 % [27.7, 28.3] over 8 seeds."),
    ],
)
def test_sentences(winner, reference, said):
    runs = len(winner) + len(reference or ())
    assert words(confirmed(winner, reference)) == f"{said} The search cost 2.2 full runs, confirming {runs}."


def test_seeds_that_change_nothing_are_not_taken_for_certainty():
    asked = "Every seed gave the same value, so the interval says nothing: does the training use its seed?"
    for winner, reference in (([0.28] * 8, [0.31] * 8), ([0.28] * 8, None)):
        assert f" {asked} The search cost" in words(confirmed(winner, reference))
    for winner, reference in (([0.28] * 8, around(0.31)), ([0.28], [0.31]), ([1.0] * 8, None)):
        assert asked not in words(confirmed(winner, reference)), "values differ, or one seed, or all diverged"
    easy = [0.0] * 8
    assert asked not in words(confirmed(easy, easy)), "a task that every run solves"


def test_differences_that_are_equal_with_every_seed_have_nothing_that_seeds_can_show():
    """Equal up to rounding: 0.4 - 0.3 and 0.3 - 0.2 are not, in floats."""
    winner, reference = [0.2, 0.3, 0.25, 0.4, 0.1, 0.35, 0.15, 0.22], [0.3, 0.4, 0.35, 0.5, 0.2, 0.45, 0.25, 0.32]
    said = words(confirmed(winner, reference))
    assert "over 8 seeds, 10.0 points [10.0, 10.0] better than cosine at its best peak, 0.2. The search" in said
    said = words(confirmed(reference, winner))
    assert "; the best found (REX, peak 0.27) is 10.0 points [10.0, 10.0] worse. The search" in said
    equal = [value + 1e-16 for value in winner]
    assert equal != winner
    said = words(confirmed(winner, equal))
    assert "; the best found (REX, peak 0.27) is statistically tied with it. The search" in said
    small = replace(confirmed([1e-15, 3e-15], [2e-15, 5e-15]), metric=Metric("loss", "minimize", "", 1.0))
    assert "(2 seeds can show 6.353e-15)" in words(small), "what is small is not equal"


def test_an_objective_without_test_rows_or_with_another_unit():
    assert words(confirmed(around(0.28), None, test=False)).startswith("Use REX, peak 0.27: validation error 28.0 %")
    metres = replace(confirmed(around(2.5), around(2.6)), metric=Metric("rmse", "minimize", "m", 10.0))
    assert "test rmse 2.5 m [2.497, 2.503] over 8 seeds, 0.1 m [0.1, 0.1] better than cosine" in words(metres)


def test_the_best_found_stands_first_whichever_is_recommended():
    for winner, reference, said in (
        (0.28, 0.31, "28.0 % against 31.0 %, 3.0 points"),
        (0.31, 0.28, "31.0 % against 28.0 %, -3.0 points"),
    ):
        study = confirmed(around(winner), around(reference))
        assert said in best_against_reference(study, Answer.of(study))
    one = confirmed([0.1], [0.3])
    assert best_against_reference(one, Answer.of(one)) is None


def test_a_metric_without_a_unit_has_no_gap():
    plain = replace(confirmed(around(2.5), around(2.6)), metric=Metric("value", "minimize", "", 10.0))
    assert "  " not in words(plain)


def test_weight_decay_is_named_if_it_was_searched():
    study = confirmed(around(0.28), [0.31, 0.30, 0.32, 0.29, 0.31, 0.30, 0.31, 0.32])
    decays = (0.00031, 0.0005)
    trials = [
        replace(trial, params={**trial.params, "weight_decay": decay})
        for trial, decay in zip(study.trials, decays, strict=True)
    ]
    said = words(replace(study, trials=tuple(trials)))
    assert said.startswith("Use REX, peak 0.27, weight decay 0.00031: test error 28.0 % [27.7, 28.3] over 8 seeds")
    assert "than cosine at its best peak, 0.2, and weight decay 0.0005, which was not tuned (8 seeds" in said
