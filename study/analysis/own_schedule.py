"""What is known of a script that nobody edited: whether it keeps its own schedule, and whether its steps are seen."""

from __future__ import annotations

import re

from study.objective import Unit
from study.storage.study_record import StudyRecord


def handed_over(study: StudyRecord) -> set[str]:
    """The placeholders of a command; empty if a function, or a workload, was trained."""
    return placeholders(study.settings.own_training)


def placeholders(command: str | None) -> set[str]:
    """The names in braces.

    >>> sorted(placeholders("sh -c 'a {seed} {peak_lr:.3g} ${{HOME}}'"))
    ['peak_lr', 'seed']
    """
    return set(re.findall(r"(?<!{){(\w+)", command or ""))


def keeps_own_schedule(study: StudyRecord) -> bool:
    """Whether a script kept its own schedule, of which only the peak was searched, and perhaps the warm-up.

    Its trials are recorded as those of a constant schedule, which was never trained.
    """
    names = handed_over(study)
    return "peak_lr" in names and "timm" not in names and not study.seen


def steps_are_seen(command: str | None, seen: bool, unit: Unit) -> bool:
    """Whether it is known how many steps a run has. command: None if a workload is trained. seen: of the study."""
    return unit == "steps" or seen or not {"peak_lr", "timm"} & placeholders(command)


def known_length(study: StudyRecord) -> tuple[int, Unit]:
    """(n, unit): a unit of a budget has n of these units. They are steps, unless nobody saw how many an epoch has."""
    seen = steps_are_seen(study.settings.own_training, study.seen, study.settings.unit)
    return (study.steps_per_epoch, "steps") if seen else (1, "epochs")
