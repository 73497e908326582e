"""The pieces of Markdown that tables, notes and reports are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def escaped(text: str) -> str:
    r"""Text that is shown unchanged in Markdown and in its tables, on one line.

    >>> print(escaped("a_b <c> | *d*"))
    a\_b \<c\> \| \*d\*
    """
    text = " ".join(text.splitlines())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&$~])", r"\\\1", text)


def image(name: str, what: str) -> str:
    """The line that shows a figure."""
    return f"![{what}]({name})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns except the first are aligned to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list of lines."""
    return "\n".join(f"- {line}" for line in lines)


def code(lines: str, language: str = "") -> str:
    """A block of code, whatever it holds.

    >>> print(code("a ``` b"))
    ````
    a ``` b
    ````
    """
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", lines)), default=0))
    return f"{fence}{language}\n{lines}\n{fence}"
