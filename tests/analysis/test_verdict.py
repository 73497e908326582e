"""The verdict of a search as numbers: winner, ties, cost, and whether the sampler has modelled anything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import comb

import pytest

from study.analysis.verdict import Verdict
from study.objective import Metric
from tests.example_studies import SESSION, SETTINGS, ended, row, study_record


def study_with(errors, rows=800, **others):
    """A study of full runs with these validation errors, each over so many rows."""
    return study_record([row("rex", 0.1, 0.5, full=error / rows) for error in errors], validation_rows=rows, **others)


def fisher(a, b, rows):
    """Fisher's two-sided p by its definition: of all tables with these margins, those no more likely than this one."""
    ways = [comb(rows, k) * comb(rows, a + b - k) for k in range(a + b + 1)]
    return sum(way for way in ways if way <= ways[a]) / comb(2 * rows, a + b)


@pytest.mark.parametrize("others", [[230, 270], [256, 262, 264, 300], [240, 262, 266, 400]])
def test_ties_are_those_that_the_exact_test_and_holms_correction_leave(others):
    verdict = Verdict.of(study_with([220, *others]))
    p_values = sorted(fisher(220, other, 800) for other in others)
    rejected = 0
    for p in p_values:  # Holm, step by step: stop at the first that is not significant
        if p * (len(p_values) - rejected) >= 0.05:
            break
        rejected += 1
    tied = [other / 800 for other in others[: len(others) - rejected]]
    assert [trial.value for trial in verdict.tied] == tied
    assert 0 < len(tied) < len(others)
    assert verdict.testable


def test_an_accuracy_is_tested_as_an_error_rate_is():
    rows = [220, 230, 270, 300]
    errors = Verdict.of(study_with(rows))
    accuracies = Verdict.of(study_with([800 - count for count in rows], direction="maximize"))
    assert [t.number for t in errors.tied] == [t.number for t in accuracies.tied] == [1, 2][: len(errors.tied)]


def test_equal_values_are_ties_and_named_as_such():
    verdict = Verdict.of(study_with([7, 5, 5, 5]))
    assert (verdict.winner.number, [trial.number for trial in verdict.equal]) == (1, [2, 3])
    assert [trial.number for trial in verdict.tied] == [2, 3, 0]
    every = Verdict.of(study_with([0] * 50))
    assert len(every.equal) == len(every.tied) == 49


@pytest.mark.parametrize(
    "others", [{"validation_rows": None}, {"metric": Metric("mse", "minimize", "share of the variance", 2.0)}]
)
def test_one_run_each_is_inconclusive_if_values_are_no_counts(others):
    study = replace(study_with([220, 220, 700]), **others)
    verdict = Verdict.of(study)
    assert not verdict.testable
    assert [trial.number for trial in verdict.tied] == [1], "only what is equal"


def test_a_study_without_full_runs_has_no_winner():
    for trials in ([], [ended(0.4)]):
        verdict = Verdict.of(study_record(trials))
        assert (verdict.winner, verdict.tied, verdict.full_runs) == (None, (), 0)


@pytest.mark.parametrize(
    ("sampler", "pruner", "random"),
    [
        ("gp", "horizon", [True, True, False]),
        ("tpe", "median", [True, True, False]),
        ("gp", "halving", [True, True, True]),  # it counts full runs only, and here are none
        ("gp-optuna", "halving", [True, True, True]),
        ("random", "horizon", [False, False, False]),
    ],
)
def test_a_search_is_random_up_to_its_start_up_trials(sampler, pruner, random):
    settings = replace(SETTINGS, sampler=sampler, pruner=pruner, startup_trials=20)
    found = [Verdict.of(study_record([ended(0.4)] * n, settings=settings)).random_so_far for n in (1, 20, 21)]
    assert found == random


def test_the_cost_is_counted_in_full_runs_and_seconds():
    began = datetime(2026, 1, 1, tzinfo=UTC)
    sessions = [replace(SESSION, time=began + timedelta(hours=hours)) for hours in (0, 5)]
    ends = [began + timedelta(**when) for when in ({"seconds": 10}, {"seconds": 30}, {"hours": 5, "seconds": 7})]
    trials = [replace(ended(0.4, full), ended=end) for full, end in zip((0.3, None, None), ends, strict=True)]
    cost = Verdict.of(study_record(trials, sessions=tuple(sessions))).cost
    assert (cost.trials, cost.epochs, cost.full_runs) == (3, 26, 1.3)
    assert cost.saved == pytest.approx(1 - 26 / 60)
    assert (cost.wall_seconds, cost.training_seconds) == (37, 4.5)
    assert Verdict.of(study_record([trials[0], ended(0.5)])).cost.wall_seconds is None
