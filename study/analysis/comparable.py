"""Which trials of a study can be compared with each other, and by what value.

Runs of different lengths cannot be compared, so trials are compared at the first budget, where every run has gone
through its whole schedule. With rungs this is the first rung, at which every trial is trained. Without rungs, and so
with Optuna's pruners, it is the full run, and pruned trials drop out. Diverged trials always drop out. Trials of a
reference outside the search space drop out too. Audited trials are compared like all others.
"""

from __future__ import annotations

import math

from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


def comparable(study: StudyRecord) -> list[tuple[TrialRecord, float]]:
    """The trials that have not diverged and have a finite value at the first budget, and that value."""
    values = [(trial, trial.reported.get(study.first_budget, math.nan)) for trial in study.trials if not trial.outside]
    return [(trial, value) for trial, value in values if math.isfinite(value) and not trial.diverged]
