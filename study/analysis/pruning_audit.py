"""The audit of pruning: trials that would have been pruned, but ran to their end.

If the full run of an audited trial is better than the best full run that pruning kept, which would have won without the
audit, then pruning was wrong. The share of such trials estimates how often a pruned trial would have won.
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

    better_than_winner: than the best trial that pruning kept. better_than_half: than half of the trials that it kept.
    pruned: how many trials pruning has ended; the audited ones are a random sample of these and themselves.
    """

    name: str
    audited: int
    better_than_winner: int
    better_than_half: int
    pruned: int

    @property
    def wrong(self) -> tuple[float, float]:
        """The exact 95 % interval (Clopper and Pearson) of the share of pruned trials that would have won."""
        from scipy import stats  # takes a second to load, and few searches are audited

        found = stats.binomtest(self.better_than_winner, self.audited).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


def audits(study: StudyRecord) -> list[Audit]:
    """The audit of all families together, then of each family with an audited trial; empty without audited trials."""
    sign = study.metric.sign
    audited = [trial for trial in study.trials if trial.audited_from]
    others = [trial for trial in study.trials if not (trial.audited_from or trial.outside)]
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
    """How often pruning was wrong, a line for each family under AUDIT_HEADS; empty without audited trials."""
    rows = []
    for one in audits(study):
        low, high = one.wrong
        counts = [str(one.pruned), str(one.audited), str(one.better_than_winner), f"{low:.0%} to {high:.0%}"]
        rows.append([one.name, *counts, str(one.better_than_half)])
    return rows
