"""What searching on was worth: when the best value of a search last improved."""

from __future__ import annotations

from typing import NamedTuple

from study.analysis.runs import runs_as_trained
from study.storage.study_record import StudyRecord


class LastImprovement(NamedTuple):
    """The last trial that was the best so far after runs of the first budget.

    trial: its number. full_runs: cost of the search until then, in full runs. of: cost of all runs of that budget and
    of those between them.
    """

    trial: int
    full_runs: float
    of: float


def last_improvement(study: StudyRecord) -> LastImprovement | None:
    """When the best value after runs of the first budget, which all trials have, last improved; None without a run."""
    first, full = study.first_budget, study.settings.epochs
    runs = [run for run in runs_as_trained(study) if run.budget == first and not run.trial.outside]
    if not runs:
        return None
    best = min(runs, key=lambda run: study.metric.sign * run.value)  # the earliest of equals
    return LastImprovement(best.trial.number, best.spent / full, runs[-1].spent / full)
