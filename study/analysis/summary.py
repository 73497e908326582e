"""What a study has found so far, for the terminal: a pure function of the stored records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from search_spaces.export import Exported, torch_code
from study.reports.terminal import rich_table
from study.storage.records import best_trial, better_first, finished_trials, spent_epochs

FAMILY_HEADS = ("family", "trials", "finished", "pruned", "diverged")
"""What `family_rows` counts; behind these stands the best value."""


@dataclass(frozen=True)
class Tally:
    """A study in numbers: finished trials, the best of them (None where none ran to its end), epochs trained."""

    trials: list[FrozenTrial]
    best: FrozenTrial | None
    spent: float
    saved: float
    """Share of the epochs that full runs of all trials would have taken; below 0 where the rungs cost more."""

    @classmethod
    def of(cls, optuna_study: optuna.Study) -> Tally:
        """Count what the study holds now."""
        trials = finished_trials(optuna_study)
        spent = sum(spent_epochs(trial) for trial in trials)
        full = len(trials) * optuna_study.user_attrs["configuration"]["epochs"]
        return cls(trials, best_trial(optuna_study, trials), spent, 1 - spent / full if full else 0.0)

    @property
    def text(self) -> str:
        """How many trials, what they took, and how that compares with full runs of all."""
        n = len(self.trials)
        compared = f"{self.saved:.0%} saved" if self.saved >= 0 else f"{-self.saved:.0%} more than full runs of all"
        return f"{n} {'trial' if n == 1 else 'trials'}, {self.spent:.0f} epochs trained, {compared}"


def best_by_family(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> dict[str, FrozenTrial | None]:
    """The best trial of each family that was tried, the best family first, those without a complete trial last."""
    families = dict.fromkeys(trial.params["family"] for trial in trials)
    best = {name: best_trial(optuna_study, [t for t in trials if t.params["family"] == name]) for name in families}
    sign = better_first(optuna_study)
    rank = {name: (1, 0.0) if trial is None else (0, sign * (trial.value or 0.0)) for name, trial in best.items()}
    return {name: best[name] for name in sorted(families, key=lambda name: rank[name])}


def family_rows(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> list[list[str]]:
    """A line for each family under FAMILY_HEADS: how often it was tried, what became of that, its best full run."""
    rows = []
    for name, best in best_by_family(optuna_study, trials).items():
        own = [trial for trial in trials if trial.params["family"] == name]
        finished = sum(trial.state == TrialState.COMPLETE for trial in own)
        diverged = sum(trial.user_attrs["record"]["diverged"] for trial in own)
        counts = (len(own), finished, len(own) - finished - diverged, diverged)
        rows.append([name, *map(str, counts), f"{best.value:.4f}" if best else "-"])
    return rows


def family_table(optuna_study: optuna.Study, trials: Sequence[FrozenTrial]) -> Table:
    """The families for the terminal."""
    return rich_table([*FAMILY_HEADS, f"best {value_name(optuna_study)}"], family_rows(optuna_study, trials))


def value_name(optuna_study: optuna.Study) -> str:
    """What a trial's value is, such as `val_error`."""
    return f"val_{optuna_study.user_attrs['metric']['name']}"


def winner(optuna_study: optuna.Study, best: FrozenTrial) -> str:
    """The best trial: its parameters and the lines of PyTorch that build it."""
    attrs = optuna_study.user_attrs
    epochs = attrs["configuration"]["epochs"]
    total_steps = epochs * attrs["steps_per_epoch"]
    parameters = "\n".join(f"  {name} = {value}" for name, value in best.params.items())
    resolved = ", ".join(f"{name}={value}" for name, value in best.user_attrs["record"]["torch"].items())
    return (
        f"Winner: trial {best.number}, {best.params['family']}, {value_name(optuna_study)} {best.value:.4f} "
        f"({attrs['metric']['unit']}) after {epochs} epochs, {total_steps} updates\n"
        f"{parameters}\n  torch: {resolved}\n\n"
        "The same in PyTorch, for a run of any length:\n\n" + torch_code(Exported.of(optuna_study, best))
    )


def no_winner(trials: Sequence[FrozenTrial]) -> str:
    """Why there is none, and what to look at."""
    if not trials or not all(trial.user_attrs["record"]["diverged"] for trial in trials):
        return "No trial has run to its end yet."
    every = f"all {len(trials)} trials" if len(trials) > 1 else "the only trial"
    lowest = min(trial.params["peak_lr"] for trial in trials)
    return (
        f"No winner: {every} diverged, with a peak_lr of {lowest:.3g} or more. Look for "
        "numbers in the data that are not finite, and at the loss; if they are sound, lower peak_lr in a --space "
        "FILE.toml (--print-space prints one)."
    )
