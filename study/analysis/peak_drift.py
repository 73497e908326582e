"""How the best peak learning rate moves with the length of a run, between a study's own rungs.

A peak that was found in short runs is often too high for longer ones, most of all if the short runs have few steps.
The best peak of a rung is the geometric mean of the better half of its trials (peak_lr.py). Both rungs of a pair are
computed from the same trials, those that had a run at both. These were promoted because they were good at the shorter
one, so their peaks lie close together and the ratio leans towards 1: a drift is larger than shown, if anything.
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
    """The difference of the better halves' mean log peaks along the axis; the half is rounded up."""

    def best(values: Any) -> Any:
        half = np.argsort(values, axis=axis, kind="stable").take(range(math.ceil(values.shape[axis] / 2)), axis=axis)
        return np.take_along_axis(log_peaks, half, axis=axis).mean(axis=axis)

    return best(at_short) - best(at_long)
