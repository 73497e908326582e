"""The note of a study in optuna-dashboard: the answer so far, how to read it, and what to type next, as Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from statistics import mean
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from search_spaces.export import Exported, torch_code
from study.analysis.importance import edge_warnings
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.summary import FAMILY_HEADS, Tally, family_rows, no_winner
from study.reports.markdown import code, escaped, table
from study.reports.section import searched, setting
from study.search.bracket import Bracket
from study.storage.records import finished_trials
from study.storage.url import storage_flag


def note(optuna_study: optuna.Study, tally: Tally, storage: str, generation: Bracket | None = None) -> str:
    """The note of a study in any state; generation: the one that is on its way, where one is."""
    attrs = optuna_study.user_attrs
    value = escaped(f"val_{attrs['metric']['name']}")
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(optuna_study, tally.trials)]
    audited = audit_rows(optuna_study, tally.trials)
    parts = [
        f"# {escaped(optuna_study.study_name)}",
        *answer(optuna_study, tally.best, value),
        f"{course(tally, generation)} {setting(optuna_study)}; {searched(optuna_study)}.",
        "## The families",
        table([*FAMILY_HEADS, f"best {value}"], rows) if rows else "No trial is finished yet.",
        how_to_read(attrs["configuration"]["epochs"]),
        *([f"How often pruning was wrong (`--audit`):\n\n{table(AUDIT_HEADS, audited)}"] if audited else []),
        *(f"- At an end of what was searched: {escaped(line)}" for line in edge_warnings(optuna_study, tally.trials)),
        "## What to type",
        code("\n".join(commands(attrs, optuna_study.study_name, tally.best, storage_flag(storage))), "bash"),
    ]
    return "\n\n".join(parts) + "\n"


def answer(optuna_study: optuna.Study, best: FrozenTrial | None, value: str) -> list[str]:
    """The best trial and its code, and its test where it was confirmed. value: what a trial's value is."""
    attrs = optuna_study.user_attrs
    if best is None:
        return [f"**No answer yet.** {no_winner(finished_trials(optuna_study))}"]
    found = (
        f"**The answer so far: {escaped(best.params['family'])}**, trial {best.number}, with {value} {best.value:.4f} "
        f"({escaped(attrs['metric']['unit'])}). In PyTorch:"
    )
    lines = code(torch_code(Exported.of(optuna_study, best)), "python")
    confirmed = attrs.get("confirmed", {})
    if confirmed.get("trial") != best.number:
        return [found, lines]
    judged = f"On test, over {len(confirmed['seeds'])} fresh seeds: {mean(confirmed['test']):.4f} on average."
    return [found, lines, judged]


def course(tally: Tally, generation: Bracket | None) -> str:
    """How far the search is."""
    done = f"{tally.text}."
    if generation is None or generation.finished or not generation.on_their_way:
        return done
    return (
        f"{done} On their way: {generation.tried} trials of a generation of {generation.size}, with "
        f"{generation.epochs_trained:.0f} epochs so far; a trial is shown once it has ended."
    )


def how_to_read(epochs: int) -> str:
    """What the table and the figures say, and what not. epochs: of a full run."""
    lines = [
        f"*finished*: trained for all {epochs} epochs; only these are ranked. Each has a picture and its curve as CSV "
        "among its artifacts (Trial List).",
        "*pruned*: left after a shorter run, whose values are no match for those of full runs; *diverged*: the loss "
        "was no longer finite.",
        "A search gives families unequal budgets: it finds the best schedule, and does not compare families. "
        "`scripts/benchmark.py` does.",
        "The winner was chosen on validation rows, so its value there is better than elsewhere.",
        "The figures are below the charts of the first page: lr and learning curves of the best trials, the best of "
        "each family against the epochs trained, and all trials by `peak_lr`.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def commands(attrs: Mapping[str, Any], name: str, best: FrozenTrial | None, flag: str) -> list[str]:
    """Go on, report, train the best again, browse. flag: what names the storage."""
    lines = [f"{attrs['sessions'][-1]['command']}  # goes on where it was stopped"]
    lines += [f"python scripts/report.py --study {shlex.quote(attrs['group'])}{flag}"]
    if best:
        lines += [f"python scripts/reproduce.py --study {shlex.quote(name)} --trial {best.number}{flag}"]
        lines += [f"python scripts/export.py --study {shlex.quote(name)}{flag}"]
    return [*lines, f"python scripts/dashboard.py{flag}"]
