"""A schedule in words, and that of a trial: a script may have kept its own."""

from __future__ import annotations

from typing import Any

from search_spaces.schedule import Schedule
from study.analysis.own_schedule import handed_over, keeps_own_schedule
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

WRITTEN = {"rex": "REX", "wsd": "WSD", "inverse_sqrt": "inverse square root", "schedule_free": "schedule-free"}
"""Families whose name in a sentence is not the one at the command line with spaces for underscores."""


def schedule_in_words(schedule: Schedule, weight_decay: float | None = None) -> str:
    """The family and all parameters that were searched, numbers to three significant digits.

    weight_decay: that the schedule was trained with, if that was searched.

    >>> from search_spaces import Cosine
    >>> schedule_in_words(Cosine(peak_lr=0.26894, warmup_fraction=0.006775, floor_ratio=0.01))
    'cosine, peak_lr 0.269, t_max_fraction 1, floor_ratio 0.01, warm-up over the first 0.68 % of the steps'
    """
    own = [f"{name} {parameter_in_words(getattr(schedule, name))}" for name in schedule.effective()]
    warmup = [] if schedule.has_own_warmup else [warmup_in_words(schedule.warmup_fraction)]
    decay = [] if weight_decay is None else [f"weight_decay {weight_decay:.3g}"]
    return ", ".join([family_in_words(schedule.family), f"peak_lr {schedule.peak_lr:.3g}", *own, *warmup, *decay])


def family_in_words(family: str) -> str:
    """The name of a family in a sentence."""
    return WRITTEN.get(family, family.replace("_", " "))


def parameter_in_words(value: Any) -> str:
    """The value of a parameter."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def warmup_in_words(fraction: float) -> str:
    """The warm-up: none, or its share of the run."""
    return f"warm-up over the first {100 * fraction:.2g} % of the steps" if fraction else "no warm-up"


def trained_in_words(study: StudyRecord, trial: TrialRecord) -> str:
    """What a trial was trained with: its schedule as above, or what a script that kept its own was given."""
    if not keeps_own_schedule(study):
        return schedule_in_words(trial.schedule, trial.weight_decay)
    warmup = warmup_in_words(trial.schedule.warmup_fraction) if "warmup_steps" in handed_over(study) else None
    return ", ".join(filter(None, ["your script's own schedule", f"peak_lr {trial.peak_lr:.3g}", warmup]))


def given_in_words(study: StudyRecord, trial: TrialRecord, total_steps: int | None = None) -> str:
    """What a script that keeps its own schedule is to be given, to the last digit. total_steps: of a longer run."""
    warmup_steps = trial.schedule.warmup_steps(total_steps or study.total_steps)
    given = {"peak_lr": trial.peak_lr, "warmup_steps": warmup_steps}
    values = (f"{{{name}}} = {value!r}" for name, value in given.items() if name in handed_over(study))
    return f"In your command: {', '.join(values)} (trial {trial.number})"


def family_of_study(study: StudyRecord, family: str) -> str:
    """The name of a family in a table; a schedule that a script kept has none."""
    return "your own" if keeps_own_schedule(study) else family


def trial_in_words(study: StudyRecord, trial: TrialRecord) -> str:
    """A trial by its number and its family, if that says something."""
    return f"trial {trial.number}" + (f" {trial.family}" if not keeps_own_schedule(study) else "")
