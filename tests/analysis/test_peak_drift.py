"""Drift of the best peak: against studies with a known one, and against an independent computation."""

import math
import random
from dataclasses import replace
from statistics import fmean, quantiles

import pytest
from numpy.polynomial import Polynomial

from study.analysis.peak_drift import FEWEST_WITH_BOTH, peak_drifts
from tests.example_studies import SETTINGS, TRIAL, study_record
from tests.helpers import open_small, run_search

SHORT, FULL = 2, 20
"""Epochs of the rungs, of 16 steps each."""


def drifting(best_short, best_full, n=40, seed=0, noise=0.02, sign=1):
    """Trials with peaks over two decades, whose error grows with the square of the distance to the rung's best peak."""
    rng = random.Random(seed)
    for _ in range(n):
        peak = 10 ** rng.uniform(-2, 0)
        values = {
            budget: sign * (0.3 + 0.1 * math.log(peak / best) ** 2 + rng.gauss(0, noise))
            for budget, best in ((SHORT, best_short), (FULL, best_full))
        }
        params = {"family": "rex", "peak_lr": peak}
        yield replace(TRIAL, params=params, reported=values, value=values[FULL], epochs_used={SHORT: 2.0, FULL: 20.0})


def best_peak(rows, column):
    """By numpy's polynomials: where the parabola through the ranks of this column is lowest, within the peaks."""
    logs = [math.log(row[0]) for row in rows]
    if len(set(logs)) < 3:
        return min(rows, key=lambda row: row[column])[0]
    ranks = [sum(other[column] < row[column] for other in rows) + rows.count(row) / 2 for row in rows]
    fitted = Polynomial.fit(logs, ranks, 2).convert()
    if fitted.coef[2] <= 1e-9:
        return min(rows, key=lambda row: row[column])[0]
    return math.exp(min(max(fitted.deriv().roots()[0], min(logs)), max(logs)))


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_it_is_what_an_independent_computation_gives(direction, sign):
    trials = list(drifting(0.2, 0.1, n=11, noise=0.05, sign=sign))
    [drift] = peak_drifts(study_record(trials, direction))
    rows = [(one.peak_lr, sign * one.reported[SHORT], sign * one.reported[FULL]) for one in trials]
    assert drift[:2] == (32, 320)
    assert drift.ratio.n == 11
    assert drift.ratio.mean == pytest.approx(best_peak(rows, 1) / best_peak(rows, 2))
    rng, again = random.Random(1), []
    for _ in range(4000):
        drawn = rng.choices(rows, k=len(rows))
        again.append(math.log(best_peak(drawn, 1) / best_peak(drawn, 2)))
    ends = quantiles(again, n=40)
    assert math.log(drift.ratio.low) == pytest.approx(ends[0], abs=0.08)
    assert math.log(drift.ratio.high) == pytest.approx(ends[-1], abs=0.08)
    assert ends[-1] - ends[0] > 0.3, "which leaves room for another answer"


@pytest.mark.parametrize("known", [1.0, 2.0, 0.5])
def test_a_known_drift_lies_in_the_interval(known):
    found = [peak_drifts(study_record(list(drifting(0.1 * known, 0.1, seed=seed))))[0].ratio for seed in range(30)]
    assert math.exp(fmean(math.log(one.mean) for one in found)) == pytest.approx(known, rel=0.1)
    assert sum(one.low <= known <= one.high for one in found) >= 26
    others = [other for other in (1.0, 2.0, 0.5) if other != known]
    assert all(sum(one.low <= other <= one.high for one in found) <= 10 for other in others)


def test_nothing_is_said_of_few_trials_or_without_rungs():
    trials = list(drifting(0.2, 0.1))
    assert peak_drifts(study_record(trials[:FEWEST_WITH_BOTH]))
    pruned = replace(trials[-1], complete=False, reported={SHORT: 0.1})
    assert not peak_drifts(study_record([*trials[: FEWEST_WITH_BOTH - 1], pruned]))
    assert not peak_drifts(study_record(trials, settings=replace(SETTINGS, budgets=(FULL,))))
    assert not peak_drifts(study_record([]))


def test_what_diverges_in_the_longer_run_counts_as_bad_there():
    trials = list(drifting(0.1, 0.1))
    diverged = [
        replace(one, diverged=True, reported=one.reported | {FULL: 1.0}) if one.peak_lr > 0.1 else one for one in trials
    ]
    assert peak_drifts(study_record(diverged))[0].ratio.mean > 1.2 * peak_drifts(study_record(trials))[0].ratio.mean


def test_a_real_search_has_a_ratio_within_what_was_tried(storage, workload):
    run_search(storage, workload, 40)
    with open_small(storage, workload) as opened:
        study = opened.record
    [drift] = peak_drifts(study)
    peaks = [one.peak_lr for one in study.trials if len(one.reported) == 2]
    assert (drift.short_steps, drift.long_steps, drift.ratio.n) == (16, 64, len(peaks))
    assert min(peaks) / max(peaks) <= drift.ratio.low <= drift.ratio.mean <= drift.ratio.high <= max(peaks) / min(peaks)
