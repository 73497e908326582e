"""Names in messages: short lists, however many there are."""

from __future__ import annotations

from collections.abc import Iterable

MOST_NAMED = 8
"""Maximum number of names in a list."""
LONGEST_NAME = 40
"""Maximum number of characters of a name; the middle of a longer one is left out."""


def name_list(names: Iterable[object], most: int = MOST_NAMED) -> str:
    """The names with commas, the first ones only if there are many.

    >>> name_list("abc"), name_list(range(20), 3)
    ('a, b, c', '0, 1, 2 and 17 more')
    """
    every = [abbreviated(str(name)) for name in names]
    if len(every) <= most + 1:  # "and 1 more" is no shorter than a name
        return ", ".join(every)
    return f"{', '.join(every[:most])} and {len(every) - most} more"


def abbreviated(name: str) -> str:
    """A name that fits into a line; characters that a terminal would obey are escaped.

    >>> abbreviated("x" * 100), abbreviated("a\\x1b[31mb")
    ('xxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxx', 'a\\\\x1b[31mb')
    """
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)
    if len(shown) <= LONGEST_NAME:
        return shown
    half = (LONGEST_NAME - 3) // 2
    return f"{shown[: half + 1]}...{shown[-half:]}"
