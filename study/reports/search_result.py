"""What a search prints at its end: the families, what else was learnt, the winner and its code, where to look next."""

from __future__ import annotations

import optuna
from rich.console import Console

from study.analysis.importance import insight
from study.analysis.pruning_audit import audit_shown
from study.analysis.summary import Tally, family_table, no_winner, winner
from study.storage.url import dashboard_command


def print_result(console: Console, optuna_study: optuna.Study, storage: str | None) -> None:
    """Print it all. storage: where the study is kept; None in memory, where no dashboard can be served."""
    tally = Tally.of(optuna_study)
    console.print(family_table(optuna_study, tally.trials))
    console.print(f"{tally.text}.\n")
    for part in (*insight(optuna_study, tally.trials), *audit_shown(optuna_study, tally.trials)):
        console.print(part, "")
    console.print(winner(optuna_study, tally.best) if tally.best else no_winner(tally.trials))
    if storage:
        console.print(f"\nBrowse the trials: {dashboard_command(storage)}")
