"""The note of a study in optuna-dashboard: the answer so far, how to read it, and what to type next, as Markdown."""

from __future__ import annotations

import shlex
from statistics import mean

from search_spaces.export import torch_code
from study.analysis.edges import edge_warnings
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.summary import FAMILY_HEADS, Tally, family_rows
from study.reports.markdown import code, escaped, table
from study.reports.schedule_origin import exported
from study.reports.section import searched, setting
from study.reports.verdict import no_winner
from study.search.bracket import Bracket
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import storage_flag


def note(study: StudyRecord, storage: str, bracket: Bracket | None = None) -> str:
    """The note of a study in any state; bracket: the one that is on its way, if one is."""
    tally, value = Tally.of(study), escaped(study.value_name)
    rows = [[f"`{name}`", *counts] for name, *counts in family_rows(study)]
    audited = audit_rows(study)
    parts = [
        f"# {escaped(study.name)}",
        *answer_so_far(study, tally.best, value),
        f"{how_far(tally, bracket)} {setting(study)}; {searched(study)}.",
        "## The families",
        table([*FAMILY_HEADS, f"best {value}"], rows) if rows else "No trial is finished yet.",
        how_to_read(study.settings.epochs),
        *([f"How often pruning was wrong (`--audit`):\n\n{table(AUDIT_HEADS, audited)}"] if audited else []),
        *(f"- At an end of what was searched: {escaped(line)}" for line in edge_warnings(study)),
        "## What to type",
        code("\n".join(commands(study, tally.best, storage_flag(storage))), "bash"),
    ]
    return "\n\n".join(parts) + "\n"


def answer_so_far(study: StudyRecord, best: TrialRecord | None, value: str) -> list[str]:
    """The best trial and its code, and its test if it was confirmed. value: what a trial's value is."""
    if best is None:
        return [f"**No answer yet.** {no_winner(study)}"]
    found = (
        f"**The answer so far: {escaped(best.family)}**, trial {best.number}, with {value} {best.value:.4f} "
        f"({escaped(study.metric.unit)}). In PyTorch:"
    )
    lines = code(torch_code(exported(study, best)), "python")
    confirmed = study.confirmed
    if confirmed is None or confirmed.trial != best.number:
        return [found, lines]
    on_test = f"On test, over {len(confirmed.seeds)} fresh seeds: {mean(confirmed.test):.4f} on average."
    return [found, lines, on_test]


def how_far(tally: Tally, bracket: Bracket | None) -> str:
    """How far the search is."""
    done = f"{tally.text}."
    if bracket is None or bracket.finished or not bracket.on_their_way:
        return done
    return (
        f"{done} On their way: {bracket.tried} trials of a bracket of {bracket.size}, with "
        f"{bracket.epochs_trained:.0f} epochs so far; a trial is shown once it has ended."
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


def commands(study: StudyRecord, best: TrialRecord | None, flag: str) -> list[str]:
    """Go on, report, train the best again, browse. flag: what names the storage."""
    lines = [f"{study.sessions[-1].command}  # goes on where it was stopped"]
    lines += [f"python scripts/report.py --study {shlex.quote(study.group)}{flag}"]
    if best:
        lines += [f"python scripts/reproduce.py --study {shlex.quote(study.name)} --trial {best.number}{flag}"]
        lines += [f"python scripts/export.py --study {shlex.quote(study.name)}{flag}"]
    return [*lines, f"python scripts/dashboard.py{flag}"]
