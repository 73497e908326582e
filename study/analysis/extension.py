"""Which schedules to try for a longer run, by what a study found in shorter ones.

The peak is kept: two others beside it gained nothing where it was measured (results/search/extensions-5-20.md). If runs
have few steps, short ones prefer a peak that is too high for longer ones, so both others lie below then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from search_spaces.errors import InputError, require
from search_spaces.schedule import Schedule
from study.analysis.answer import recommended
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

LONGEST = 10
"""How many times as long as a full run of the study the longer run may be."""
ENOUGH_STEPS = 250
"""With fewer steps in a full run, its best peak is likely to be too high for longer ones."""
APART = 1.5
"""Ratio of neighbouring peaks, if several are tried."""
MOST_RUNS = 3


@dataclass(frozen=True)
class Extension:
    """What to try at a longer budget.

    trial: whose schedule is extended. budget: of the longer run, in the study's unit. schedules: to train, one run
    each. scarce: whether the study's full runs have so few steps that its peak may be too high.
    """

    trial: TrialRecord
    budget: int
    schedules: tuple[Schedule, ...]
    scarce: bool

    @classmethod
    def of(cls, study: StudyRecord, budget: int, runs: int) -> Extension:
        """For a run of this budget; raises InputError if that is not longer, or too much so, or there is no winner.

        runs: 0 for advice alone, 1 for the peak of the study, 3 for one below and one above too; two of the three lie
        below if steps are scarce.
        """
        full, unit = study.settings.epochs, study.settings.unit
        require(runs in (0, 1, MOST_RUNS), f"--runs must be 0, 1 or {MOST_RUNS}", runs)
        longer = f"--{unit} must be above the study's {full}, and at most {LONGEST} times that"
        require(full < budget <= LONGEST * full, longer, budget)
        trial = recommended(study)
        if trial is None:
            raise InputError(f"study {study.name!r} has no winner: no trial has finished a full run")
        scarce = study.total_steps < ENOUGH_STEPS
        places = [0] if runs <= 1 else [0, -1, -2] if scarce else [0, -1, 1]
        schedules = [replace(trial.schedule, peak_lr=trial.peak_lr * APART**place) for place in places[:runs]]
        return cls(trial, budget, tuple(schedules), scarce)
