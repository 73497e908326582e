"""Which schedules to try for a longer run, by what a study found in shorter ones, and which of them to use.

One run checks the schedule that the study recommends. Of two or three, the best finalists have one each; other peaks
of the recommended schedule did no better where that was measured (results/search/extensions-5-20.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search_spaces.errors import InputError, require
from study.analysis.answer import Answer, recommended
from study.storage.finals import FinalRun
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

LONGEST = 10
"""How many times as long as a full run of the study the longer run may be."""
ENOUGH_STEPS = 250
"""With fewer steps in a full run, its best peak is likely to be too high for longer ones."""


@dataclass(frozen=True)
class Extension:
    """What to try at a longer budget.

    recommended: the trial that the study recommends. budget: of the longer run, in the study's unit. trials: whose
    schedules to train, one run each. scarce: whether the study's full runs have so few steps that its peak may be too
    high.
    """

    recommended: TrialRecord
    budget: int
    trials: tuple[TrialRecord, ...]
    scarce: bool

    @classmethod
    def of(cls, study: StudyRecord, budget: int, runs: int) -> Extension:
        """For a run of this budget; raises InputError if that is not longer, or too much so, or there is no winner.

        runs: 0 for advice alone, 1 for the recommended schedule, more for as many of the best ones.
        """
        full, unit = study.settings.epochs, study.settings.unit
        longer = f"--{unit} must be above the study's {full}, and at most {LONGEST} times that"
        require(full < budget <= LONGEST * full, longer, budget)
        trial = recommended(study)
        if trial is None:
            raise InputError(f"study {study.name!r} has no winner: no trial has finished a full run")
        others = [one for one in finalists(study) if one.number != trial.number]
        trials = [trial, *others][:runs]
        return cls(trial, budget, tuple(trials), study.total_steps < ENOUGH_STEPS)


def best_run(study: StudyRecord, runs: Sequence[FinalRun]) -> FinalRun | None:
    """The best of these runs on validation; None if all have diverged."""
    finished = [run for run in runs if run.validation != study.metric.worst]
    return min(finished, key=lambda run: study.metric.sign * run.validation, default=None)


def shorter_runs_beating(study: StudyRecord, run: FinalRun) -> int:
    """How many runs of the study's full length the trial of a longer run had over seeds, if all were better; else 0.

    Then the longer run has failed, even if it has not diverged.
    """
    again = [one.validation for one in study.finals.runs if one.trial == run.trial] if study.finals else []
    better = [value for value in again if study.metric.sign * value < study.metric.sign * run.validation]
    return len(again) if len(better) == len(again) else 0


def finalists(study: StudyRecord) -> list[TrialRecord]:
    """The schedules that competed to be the winner, the best first; the full runs, if the study is not confirmed."""
    finals = study.finals
    if finals is None or len(finals.finalists) < 2 or Answer.of(study) is None:
        return [trial for trial in study.ranked(study.searched) if not trial.diverged]
    return [study.trial(trial) for trial in finals.ranked(finals.finalists, study.metric.sign)]
