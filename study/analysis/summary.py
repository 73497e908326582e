"""What a study has found so far: how many trials, the best of each family, and what they took."""

from __future__ import annotations

from dataclasses import dataclass

from study.analysis.cost import Cost
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

FAMILY_HEADS = ("family", "trials", "finished", "pruned", "diverged")
"""What `family_rows` counts; behind these stands the best value."""


@dataclass(frozen=True)
class Tally:
    """A study in numbers.

    trials: how many are finished. best: None if none ran to its end. spent: epochs trained. saved: the share of the
    epochs that full runs of all trials would have taken; below 0 if the rungs cost more.
    """

    trials: int
    best: TrialRecord | None
    spent: float
    saved: float

    @classmethod
    def of(cls, study: StudyRecord) -> Tally:
        """Count what the study holds."""
        cost = Cost.of(study)
        return cls(cost.trials, study.best, cost.epochs, cost.saved)

    @property
    def text(self) -> str:
        """How many trials, what they took, and how that compares with full runs of all."""
        compared = f"{self.saved:.0%} saved" if self.saved >= 0 else f"{-self.saved:.0%} more than full runs of all"
        return f"{self.trials} {'trial' if self.trials == 1 else 'trials'}, {self.spent:.0f} epochs trained, {compared}"


def best_by_family(study: StudyRecord) -> dict[str, TrialRecord | None]:
    """The best trial of each family that was tried, the best family first, those without a complete trial last."""
    best: dict[str, TrialRecord] = {}
    for trial in study.ranked(study.complete):
        best.setdefault(trial.family, trial)
    families = dict.fromkeys(trial.family for trial in study.trials)
    sign = study.metric.sign
    order = sorted(families, key=lambda name: (0, sign * best[name].value) if name in best else (1, 0.0))
    return {name: best.get(name) for name in order}


def family_rows(study: StudyRecord) -> list[list[str]]:
    """A line for each family under FAMILY_HEADS: how often it was tried, what became of that, its best full run."""
    rows = []
    for name, best in best_by_family(study).items():
        own = [trial for trial in study.trials if trial.family == name]
        finished = sum(trial.complete for trial in own)
        diverged = sum(trial.diverged for trial in own)
        counts = (len(own), finished, len(own) - finished - diverged, diverged)
        rows.append([name, *map(str, counts), f"{best.value:.4f}" if best else "-"])
    return rows
