"""What became of the trials of each family."""

from __future__ import annotations

from typing import NamedTuple

from study.analysis.leaders import Leader, leaders
from study.storage.study_record import StudyRecord


class FamilyOutcome(NamedTuple):
    """A family's trials by what became of them. leader: None if all have diverged."""

    family: str
    trials: int
    full_runs: int
    pruned: int
    diverged: int
    leader: Leader | None


def family_outcomes(study: StudyRecord) -> list[FamilyOutcome]:
    """The outcome of each family that was searched, in the order of their leaders; those without a leader last."""
    led = {leader.family: leader for leader in leaders(study)}
    outcomes = []
    trials = [trial for trial in study.trials if not trial.outside]
    for family in dict.fromkeys([*led, *(trial.family for trial in trials)]):
        own = [trial for trial in trials if trial.family == family]
        full_runs, diverged = sum(trial.complete for trial in own), sum(trial.diverged for trial in own)
        counts = (len(own), full_runs, len(own) - full_runs - diverged, diverged)
        outcomes.append(FamilyOutcome(family, *counts, led.get(family)))
    return outcomes
