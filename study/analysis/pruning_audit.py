"""The audit of pruning: what became of trials that would have been pruned, but were let run on.

A trial's audit says that pruning was wrong if its full run is better than the best of those that pruning kept, the
winner of the study without the audit. How often that is tells how often a pruned trial would have won.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from study.storage.study_record import StudyRecord

AUDIT_HEADS = ("family", "pruned", "audited", "beat the best kept", "95 % interval", "beat half")
"""The columns of `audit_rows`."""


@dataclass(frozen=True)
class Audit:
    """Audited trials, of a family or of all: how many, and how many were better than what pruning kept.

    better_than_winner: than the best of the trials that pruning kept. better_than_half: than half of them. pruned: the
    trials that lost a comparison and were left, for which the audited ones stand.
    """

    name: str
    audited: int
    better_than_winner: int
    better_than_half: int
    pruned: int

    @property
    def wrong(self) -> tuple[float, float]:
        """The ends of the exact 95 % interval (Clopper and Pearson) of the share of the pruned that would have won."""
        from scipy import stats  # takes a second to load, and few searches are audited

        found = stats.binomtest(self.better_than_winner, self.audited).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


def audits(study: StudyRecord) -> list[Audit]:
    """The audit of all families together, then of each that has an audited trial; nothing if there is none."""
    sign = study.metric.sign
    audited = [trial for trial in study.trials if trial.audited_from]
    others = [trial for trial in study.trials if not trial.audited_from]
    kept = [sign * trial.value for trial in others if trial.complete]
    lost = [trial for trial in others if not trial.complete and not trial.diverged]
    if not audited or not kept:
        return []
    found = []
    for name in ("all", *dict.fromkeys(trial.family for trial in audited)):
        values = [sign * trial.value for trial in audited if name in ("all", trial.family)]
        pruned = [trial for trial in lost if name in ("all", trial.family)]
        better_than_winner, better_than_half = (
            sum(value < other for value in values) for other in (min(kept), median(kept))
        )
        found.append(Audit(name, len(values), better_than_winner, better_than_half, len(pruned)))
    return found


def audit_rows(study: StudyRecord) -> list[list[str]]:
    """How often pruning was wrong, a line for each family under AUDIT_HEADS; none if nothing was audited."""
    rows = []
    for one in audits(study):
        low, high = one.wrong
        counts = [str(one.pruned), str(one.audited), str(one.better_than_winner), f"{low:.0%} to {high:.0%}"]
        rows.append([one.name, *counts, str(one.better_than_half)])
    return rows
