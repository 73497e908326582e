"""The tables that --show takes, by name. Checking a name loads nothing of what makes the tables."""

from __future__ import annotations

from collections.abc import Sequence

from search_spaces.errors import unknown

TABLE_NAMES = ("families", "importance", "peaks", "audit", "edges")


def check_tables(names: Sequence[str]) -> None:
    """Raise InputError for a name that no table has."""
    for name in names:
        if name not in TABLE_NAMES:
            raise unknown("table", name, TABLE_NAMES)
