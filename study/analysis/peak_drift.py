"""How the best peak learning rate moves with the length of a run, between a study's own rungs.

A peak that was found in short runs is often too high for longer ones, most of all if the short runs have few steps.
Both rungs of a pair are computed from the same trials, those that had a run at both, so that families and other
parameters are alike. The best peak of a rung is where a parabola over the log peak, fitted to the ranks of the values,
is lowest. The mean peak of the better half would hardly move, because the promoted trials have similar peaks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from study.analysis.statistics import Interval
from study.storage.study_record import StudyRecord

FEWEST_WITH_BOTH = 8
"""The fewest trials with a run at both rungs that a ratio is computed from."""


class PeakDrift(NamedTuple):
    """Between two rungs that follow each other, of these steps.

    ratio: the best peak at the shorter one over that at the longer one, with its 95 % interval; above 1 if longer runs
    need smaller peaks. Its n counts the trials that had both runs.
    """

    short_steps: int
    long_steps: int
    ratio: Interval


def peak_drifts(study: StudyRecord) -> list[PeakDrift]:
    """For each pair of neighbouring rungs with enough trials at both; empty without such a pair.

    Values are only ranked, so a trial that diverged at the longer rung counts as one of the worst there.
    """
    found = []
    for short, long in pairwise(study.settings.budgets):
        both = [trial for trial in study.trials if {short, long} <= trial.reported.keys()]
        if len(both) >= FEWEST_WITH_BOTH:
            at_short, at_long = ([study.metric.sign * one.reported[budget] for one in both] for budget in (short, long))
            ratio = peak_ratio([trial.peak_lr for trial in both], at_short, at_long)
            found.append(PeakDrift(short * study.steps_per_epoch, long * study.steps_per_epoch, ratio))
    return found


def peak_ratio(peaks: Sequence[float], at_short: Sequence[float], at_long: Sequence[float]) -> Interval:
    """The ratio of the best peaks, and its percentile bootstrap interval over the trials; the resampling seed is fixed.

    peaks: of each trial. at_short, at_long: its values at both rungs, lower is better.
    """
    data = (np.log(peaks), np.asarray(at_short), np.asarray(at_long))
    found = stats.bootstrap(
        data, log_ratio, paired=True, n_resamples=10_000, method="percentile", rng=np.random.default_rng(0)
    )
    low, high = found.confidence_interval
    return Interval(math.exp(log_ratio(*data)), math.exp(low), math.exp(high), len(peaks))


def log_ratio(log_peaks: Any, at_short: Any, at_long: Any, axis: int = -1) -> Any:
    """The difference of the best log peaks along the axis."""
    return best_log_peak(log_peaks, at_short, axis) - best_log_peak(log_peaks, at_long, axis)


def best_log_peak(log_peaks: Any, values: Any, axis: int = -1) -> Any:
    """Where the parabola fitted to the ranks is lowest, within the peaks; if it bends down, the best trial's peak.

    Solves the normal equations of rank = a + b u + c u^2, with u the distance from the mean log peak.
    """
    x, y = np.moveaxis(np.asarray(log_peaks), axis, -1), stats.rankdata(np.moveaxis(values, axis, -1), axis=-1)
    u = x - x.mean(-1, keepdims=True)
    v = u**2 - (u**2).mean(-1, keepdims=True)
    uu, vv, uv, uy, vy = ((one * other).sum(-1) for one, other in ((u, u), (v, v), (u, v), (u, y), (v, y)))
    b, c = vv * uy - uv * vy, uu * vy - uv * uy  # times the determinant, which is not negative
    best = np.take_along_axis(x, y.argmin(-1)[..., None], -1)[..., 0]
    rises = c > 1e-9 * vv * uu
    lowest = x.mean(-1) - b / np.where(rises, 2 * c, 1)
    return np.clip(np.where(rises, lowest, best), x.min(-1), x.max(-1))
