"""A table that rich prints, in the layout of this project."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column, Table


def rich_table(heads: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> Table:
    """A table that rich prints; every column but the first is aligned to the right."""
    first, *others = heads
    numbers = (Column(head, justify="right") for head in others)
    table = Table(Column(first, no_wrap=True), *numbers, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table
