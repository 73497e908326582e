"""What a search has cost: trials, epochs, full runs and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from study.storage.study_record import StudyRecord


@dataclass(frozen=True)
class Cost:
    """What a search has cost.

    epochs: trained, over all runs. full_runs: how many full runs have as many epochs. saved: the share of the epochs
    that full runs of all trials would have taken; below 0 if the short runs cost more than they saved.
    training_seconds: of training alone. wall_seconds: from each start to the last trial that it stored; None for
    records from an archive, which keeps no times.
    """

    trials: int
    epochs: float
    full_runs: float
    saved: float
    training_seconds: float
    wall_seconds: float | None

    @classmethod
    def of(cls, study: StudyRecord) -> Cost:
        """What the trials that a study holds have cost."""
        trials, full = study.trials, study.settings.epochs
        epochs = sum(trial.epochs_spent for trial in trials)
        return cls(
            trials=len(trials),
            epochs=epochs,
            full_runs=epochs / full,
            saved=1 - epochs / (len(trials) * full) if trials else 0.0,
            training_seconds=sum(trial.seconds for trial in trials),
            wall_seconds=wall_seconds(study),
        )


def wall_seconds(study: StudyRecord) -> float | None:
    """Seconds from each start of the search to the last trial that it stored; None if the records have no times."""
    last: dict[datetime, datetime] = {}
    for trial in study.trials:
        if trial.ended is None:
            return None
        began = study.session_of(trial).time
        last[began] = max(trial.ended, last.get(began, trial.ended))
    return sum((ended - began).total_seconds() for began, ended in last.items()) if last else None
