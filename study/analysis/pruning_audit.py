"""The audit of pruning: what became of trials that would have been pruned, but were let run on.

A trial's audit says that pruning was wrong if its full run is better than the best of those that pruning kept, the
winner of the study without the audit. How often that is tells how often a pruned trial would have won.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.table import Table
from scipy import stats

from study.reports.terminal import rich_table
from study.storage.records import best_trial, better_first


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
        found = stats.binomtest(self.better_than_winner, self.audited).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


def audits(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[Audit]:
    """The audit of all families together, then of each that has an audited trial; nothing where there is none."""
    sign = better_first(optuna_study)
    audited = [trial for trial in trials if trial.user_attrs["record"]["audited_from"]]
    others = [trial for trial in trials if not trial.user_attrs["record"]["audited_from"]]
    kept = [trial for trial in others if trial.state == TrialState.COMPLETE]
    lost = [t for t in others if t.state == TrialState.PRUNED and not t.user_attrs["record"]["diverged"]]
    winner = best_trial(optuna_study, kept)
    if not audited or winner is None:
        return []
    limit, middle = sign * worth(winner), median(sign * worth(trial) for trial in kept)
    families = dict.fromkeys(trial.params["family"] for trial in audited)
    found = []
    for name in ("all", *families):
        own = [trial for trial in audited if name in ("all", trial.params["family"])]
        values = [sign * worth(trial) for trial in own]
        pruned = [trial for trial in lost if name in ("all", trial.params["family"])]
        better_than_winner, better_than_half = (sum(value < other for value in values) for other in (limit, middle))
        found.append(Audit(name, len(own), better_than_winner, better_than_half, len(pruned)))
    return found


def worth(trial: FrozenTrial) -> float:
    """The value of a finished trial."""
    assert trial.value is not None
    return trial.value


AUDIT_HEADS = ("family", "pruned", "audited", "beat the best kept", "95 % interval", "beat half")
"""What `audit_rows` tells."""


def audit_rows(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[list[str]]:
    """How often pruning was wrong, a line for each family under AUDIT_HEADS; none where nothing was audited."""
    rows = []
    for one in audits(optuna_study, trials):
        low, high = one.wrong
        counts = [str(one.pruned), str(one.audited), str(one.better_than_winner), f"{low:.0%} to {high:.0%}"]
        rows.append([one.name, *counts, str(one.better_than_half)])
    return rows


def audit_shown(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[Table]:
    """The same as a table for the terminal; none where nothing was audited."""
    rows = audit_rows(optuna_study, trials)
    title = "How often pruning was wrong: trials that it would have ended, but for the audit"
    return [rich_table(AUDIT_HEADS, rows, title)] if rows else []
