"""The results of a study as a notebook shows them: the answer, its picture, and the table of families."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterable, Sequence

from study.analysis.own_schedule import keeps_own_schedule
from study.reports.family_table import family_heads, family_rows
from study.reports.verdict import verdict_lines
from study.reports.winner_figure import winner_figure
from study.storage.study_record import StudyRecord


def result_html(study: StudyRecord) -> str:
    """A piece of HTML that needs nothing else, in the notebook's own fonts and colours; of a study in any state."""
    answer, *others = map(html.escape, verdict_lines(study))
    parts = [f"<p><b>{answer}</b></p>", *(f"<div>{line}</div>" for line in others)]
    if study.best and study.best.curve and not keeps_own_schedule(study):
        picture = b64encode(winner_figure(study)).decode()
        what = "The winner's learning rate, beside the best of the next families and the control"
        parts.append(f'<img src="data:image/svg+xml;base64,{picture}" alt="{what}" style="max-width:40rem">')
    if study.trials:
        parts.append(html_table(family_heads(study), family_rows(study)))
    return "\n".join(parts)


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; every column but the first is aligned to the right."""
    lines = [html_row("th", heads), *(html_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def html_row(tag: str, cells: Sequence[str]) -> str:
    """A row of such a table."""
    sides = ["left", *["right"] * (len(cells) - 1)]
    aligned = zip(cells, sides, strict=True)
    shown = (f"<{tag} style='text-align:{side}'>{html.escape(cell)}</{tag}>" for cell, side in aligned)
    return f"<tr>{''.join(shown)}</tr>"
