"""For which lengths of a run a schedule is known to be good, in words."""

from __future__ import annotations

from collections.abc import Sequence

from study.analysis.peak_drift import PeakDrift
from study.objective import length_in_words
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def lengths_in_words(study: StudyRecord, trial: TrialRecord) -> str:
    """The length of a trial's longest runs, and of the shortest ones that it was compared at.

    Its schedule can be built for any number of steps, which does not mean that it is as good there.
    """
    confirmed = study.finals is not None and any(run.trial == trial.number for run in study.finals.runs)
    budgets = [*trial.epochs_used, *([study.settings.epochs] if confirmed else [])]
    shortest, longest = (budget * study.steps_per_epoch for budget in (min(budgets), max(budgets)))
    compared = f"compared from {shortest} steps on" if shortest < longest else "not tried at any other length"
    return f"found in runs of {length_in_words(longest, 'steps')}, {compared}"


def drift_in_words(drifts: Sequence[PeakDrift]) -> str:
    """How the best peak moved between the rungs, in one sentence; empty if nothing is known.

    >>> from study.analysis.statistics import Interval
    >>> drift_in_words([PeakDrift(100, 500, Interval(1.284, 1.05, 1.61, n=10))])
    'best peak_lr at 100 steps / at 500 steps: 1.28 [1.05, 1.61] (10 trials)'
    """
    return "; ".join(
        f"best peak_lr at {one.short_steps} steps / at {one.long_steps} steps: {one.ratio:.2f} ({one.ratio.n} trials)"
        for one in drifts
    )
