"""What a study has found, for the terminal: tables, the winner, and its code."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Column, Table

from search_spaces.export import torch_code
from study.analysis.edges import edge_warnings
from study.analysis.importance import FEWEST_FOR_IMPORTANCE, importance
from study.analysis.peak_lr import FEWEST_OF_A_FAMILY, SPAN_HEADS, peak_spans, span_rows
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.analysis.summary import FAMILY_HEADS, Tally, family_rows
from study.reports.schedule_origin import exported
from study.reports.verdict import no_winner
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.url import dashboard_command


def rich_table(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> Table:
    """A table that rich prints; every column but the first is aligned to the right."""
    first, *others = heads
    numbers = (Column(head, justify="right") for head in others)
    table = Table(first, *numbers, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def family_table(study: StudyRecord) -> Table:
    """How often each family was tried, what became of that, and its best full run."""
    return rich_table([*FAMILY_HEADS, f"best {study.value_name}"], family_rows(study))


def insight(study: StudyRecord) -> list[RenderableType]:
    """What a study says beyond its winner: importance, spans of peak_lr, edges."""
    edges = edge_warnings(study)
    return [
        importance_shown(study),
        spans_shown(study),
        *(["At an end of what was searched:", *edges] if edges else []),
    ]


def importance_shown(study: StudyRecord) -> RenderableType:
    """The importances as a table, or why there are none."""
    shares, n = importance(study)
    if n < FEWEST_FOR_IMPORTANCE:
        return f"Which parameters mattered: told of {FEWEST_FOR_IMPORTANCE} runs or more of equal length, here are {n}."
    if not shares:
        return f"Which parameters mattered: cannot be told, all {n} trials have the same value."
    title = f"What decided, in {n} trials after {study.first_budget} epochs"
    return rich_table(("parameter", "importance"), [[name, f"{share:.0%}"] for name, share in shares.items()], title)


def spans_shown(study: StudyRecord) -> RenderableType:
    """The spans of peak_lr as a table, or why there are none."""
    spans = peak_spans(study)
    if not spans:
        return f"How finely to tune peak_lr: told of families with {FEWEST_OF_A_FAMILY} runs or more of equal length."
    title = f"peak_lr of each family: the better half of its trials, after {study.first_budget} epochs"
    return rich_table(SPAN_HEADS, span_rows(spans), title)


def audit_shown(study: StudyRecord) -> list[Table]:
    """How often pruning was wrong, as a table; none if nothing was audited."""
    rows = audit_rows(study)
    title = "How often pruning was wrong: trials that it would have ended, but for the audit"
    return [rich_table(AUDIT_HEADS, rows, title)] if rows else []


def winner_shown(study: StudyRecord, best: TrialRecord) -> str:
    """The best trial: its parameters and the lines of PyTorch that build it."""
    parameters = "\n".join(f"  {name} = {value}" for name, value in best.params.items())
    resolved = ", ".join(f"{name}={value}" for name, value in best.torch_arguments.items())
    return (
        f"Winner: trial {best.number}, {best.family}, {study.value_name} {best.value:.4f} "
        f"({study.metric.unit}) after {study.settings.epochs} epochs, {study.total_steps} updates\n"
        f"{parameters}\n  torch: {resolved}\n\n"
        "The same in PyTorch, for a run of any length:\n\n" + torch_code(exported(study, best))
    )


def print_result(console: Console, study: StudyRecord, storage: str | None) -> None:
    """Print the families, what else was learnt, the winner and its code, and where to look next.

    storage: where the study is kept; None in memory, of which no dashboard can be served.
    """
    console.print(family_table(study))
    console.print(f"{Tally.of(study).text}.\n")
    for part in (*insight(study), *audit_shown(study)):
        console.print(part, "")
    console.print(winner_shown(study, study.best) if study.best else no_winner(study))
    if storage:
        console.print(f"\nBrowse the trials: {dashboard_command(storage)}")
