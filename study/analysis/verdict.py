"""The verdict of a search: its winner, what is statistically tied with it, and what the search cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from study.analysis.cost import Cost
from study.analysis.ranking import LEVEL
from study.analysis.statistics import holm
from study.storage.settings import Settings
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord


@dataclass(frozen=True)
class Verdict:
    """What a search has found.

    winner: the best full run, the earliest of equals; None without a full run. equal: the other full runs with exactly
    its value. tied: the full runs whose difference from the winner is not significant, those of `equal` included, best
    first. testable: whether differences could be tested at all; if not, one run each is inconclusive. full_runs: how
    many there are. random_so_far: whether the sampler has not modelled anything yet, so that all trials were drawn at
    random.
    """

    winner: TrialRecord | None
    equal: tuple[TrialRecord, ...]
    tied: tuple[TrialRecord, ...]
    testable: bool
    full_runs: int
    random_so_far: bool
    cost: Cost

    @classmethod
    def of(cls, study: StudyRecord) -> Verdict:
        """The verdict on a study in any state."""
        ranked = study.ranked(study.searched)
        winner, others = (ranked[0], ranked[1:]) if ranked else (None, [])
        return cls(
            winner=winner,
            equal=tuple(trial for trial in others if winner and trial.value == winner.value),
            tied=tuple(tied_with(winner, others, study.validation_rows if study.metric.counts_rows else None))
            if winner
            else (),
            testable=bool(study.metric.counts_rows and study.validation_rows),
            full_runs=len(ranked),
            random_so_far=random_after(study.settings, len(study.trials), len(ranked)),
            cost=Cost.of(study),
        )


def tied_with(winner: TrialRecord, others: Sequence[TrialRecord], rows: int | None) -> list[TrialRecord]:
    """Those of the other full runs that are not significantly worse than the winner, or have exactly its value.

    rows: how many validation rows a value is a share of; None if it is not a share of rows: then only equal values tie,
    for one run of a schedule does not show how far another one would move.

    The test is Fisher's exact one for two proportions, two-sided, with Holm's correction for the number of full runs.
    It treats the two runs as if each had validation rows of its own. They share them, and are mostly wrong on the same
    rows, so it calls more runs tied than a paired test would (records keep no rows to pair). It knows nothing of the
    training seed: what is not tied here may still be so over several seeds.
    """
    if rows is None:
        return [trial for trial in others if trial.value == winner.value]
    of_winner = round(winner.value * rows)
    counts = [round(trial.value * rows) for trial in others]
    p_values = holm([stats.fisher_exact([[of_winner, rows - of_winner], [n, rows - n]]).pvalue for n in counts])
    return [trial for trial, p in zip(others, p_values, strict=True) if p >= LEVEL or trial.value == winner.value]


def random_after(settings: Settings, trials: int, full_runs: int) -> bool:
    """Whether a search that has tried this many trials has had start-up trials only: then no model suggested any.

    full_runs: of these trials. Under Optuna's pruners a Gaussian process learns from full runs only, so only these end
    its start-up phase.
    """
    if not trials or settings.sampler in ("random", "qmc"):
        return False
    full_runs_only = settings.sampler == "gp" and settings.pruner not in ("horizon", "none")
    return (full_runs if full_runs_only else trials) <= settings.startup_trials
