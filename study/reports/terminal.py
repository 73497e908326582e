"""The tables of a study that a user asks for with --show, for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType

from study.analysis.edges import edge_warnings
from study.analysis.importance import importance
from study.analysis.peak_lr import FEWEST_OF_A_FAMILY, SPAN_HEADS, peak_spans, span_rows
from study.analysis.pruning_audit import AUDIT_HEADS, audit_rows
from study.reports.family_table import family_heads, family_rows
from study.reports.rich_table import rich_table
from study.reports.table_names import TABLE_NAMES
from study.reports.verdict import importance_line
from study.storage.study_record import StudyRecord


def families_shown(study: StudyRecord) -> RenderableType:
    """How many trials each family had, what became of them, and how far its best one came."""
    return rich_table(family_heads(study), family_rows(study), "Families")


def importance_shown(study: StudyRecord) -> RenderableType:
    """The importance of each parameter that all families share, or why it is not known."""
    shares, n = importance(study)
    if not shares:
        return importance_line(study)
    title = f"Parameter importance ({n} trials, {study.first_budget}-{study.settings.one} runs)"
    return rich_table(("parameter", "importance"), [[name, f"{share:.0%}"] for name, share in shares.items()], title)


def peaks_shown(study: StudyRecord) -> RenderableType:
    """Where the better half of each family's trials has its peak_lr, or why that is not known."""
    spans = peak_spans(study)
    if not spans:
        return f"peak_lr sensitivity is shown for families with at least {FEWEST_OF_A_FAMILY} comparable runs."
    title = f"peak_lr in the better half of each family's trials ({study.first_budget}-{study.settings.one} runs)"
    return rich_table(SPAN_HEADS, span_rows(spans), title)


def audit_shown(study: StudyRecord) -> RenderableType:
    """How often pruning was wrong, or how to find out."""
    rows = audit_rows(study)
    if not rows:
        return "Audit: nothing was audited; --audit 0.1 lets a tenth of the pruned trials run to their end."
    return rich_table(AUDIT_HEADS, rows, "Audit: trials that would have been pruned, but ran to their end")


def edges_shown(study: StudyRecord) -> RenderableType:
    """Each parameter whose best values crowd at an end of its range."""
    return "\n".join(["At the edge of the search range:", *(edge_warnings(study) or ["none"])])


TABLES: dict[str, Callable[[StudyRecord], RenderableType]] = dict(
    zip(TABLE_NAMES, (families_shown, importance_shown, peaks_shown, audit_shown, edges_shown), strict=True)
)
"""What makes each table, by its name at the command line."""
