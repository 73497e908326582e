"""For which lengths of a run a schedule is known to be good, in words."""

from __future__ import annotations

from study.analysis.own_schedule import known_length
from study.analysis.peak_drift import peak_drifts
from study.objective import length_in_words
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def lengths_in_words(study: StudyRecord, trial: TrialRecord) -> str:
    """The length of a trial's longest runs, and of the shortest ones that it was compared at.

    Its schedule can be built for any number of steps, which does not mean that it is as good there.
    """
    confirmed = study.finals is not None and any(run.trial == trial.number for run in study.finals.runs)
    budgets = [*trial.epochs_used, *([study.settings.epochs] if confirmed else [])]
    n, unit = known_length(study)
    shortest, longest = (length_in_words(n * budget, unit) for budget in (min(budgets), max(budgets)))
    compared = f"compared from {shortest} on" if shortest != longest else "not tried at any other length"
    return f"found in runs of {longest}, {compared}"


def drift_in_words(study: StudyRecord) -> str:
    """How the best peak moved between the rungs, in one sentence; empty if nothing is known."""
    n, unit = known_length(study)

    def at(steps: int) -> str:
        return length_in_words(n * steps // study.steps_per_epoch, unit)

    return "; ".join(
        f"best peak_lr at {at(one.short_steps)} / at {at(one.long_steps)}: {one.ratio:.2f} ({one.ratio.n} trials)"
        for one in peak_drifts(study)
    )
