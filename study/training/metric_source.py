"""Where a script's evaluations are read if it says nothing itself: a column of a CSV, or lines of its output."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from search_spaces.errors import InputError, unknown, words_of


@dataclass
class CsvColumn:
    """A column of a file that grows by a row with each evaluation. pattern: of the file's path, as `glob` has it."""

    pattern: Path
    column: str
    seen: int = 0

    def read(self, ended: bool) -> Iterator[float]:
        """The values that were added since. ended: whether the file is whole; until then its last line may not be."""
        files = sorted(self.pattern.parent.glob(self.pattern.name)) if self.pattern.parent.is_dir() else []
        files = files or sorted(Path(self.pattern.anchor).glob(str(self.pattern.relative_to(self.pattern.anchor))))
        if not files:
            return
        text = files[0].read_text(errors="replace")
        whole = text if ended else text[: text.rfind("\n") + 1]
        rows = list(csv.DictReader(whole.splitlines()))
        for row in rows[self.seen :]:
            if self.column not in row:
                raise unknown("column", self.column, [name for name in row if name], files[0].name)
            self.seen += 1
            yield as_number(row[self.column], f"column {self.column} of {files[0]}")


@dataclass
class OutputPattern:
    """A regular expression whose first group is the value, searched in every line of the output."""

    path: Path
    pattern: str
    position: int = field(default=0)

    def read(self, ended: bool) -> Iterator[float]:
        """The values that were added since."""
        expression = compiled(self.pattern)
        if self.position > self.path.stat().st_size:  # the output was cut
            self.position = 0
        with self.path.open("rb") as file:
            file.seek(self.position)
            for line in file:
                if not line.endswith(b"\n") and not ended:
                    return
                self.position += len(line)
                if found := expression.search(line.decode(errors="replace")):
                    yield as_number(found[1], f"what {self.pattern!r} found")


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression; raises InputError if it is invalid or does not have exactly one group."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InputError(f"--metric-pattern {pattern!r} is no regular expression: {words_of(error)}") from error
    if expression.groups != 1:
        raise InputError(f"--metric-pattern {pattern!r} needs one group in parentheses, the number: 'error: ([0-9.]+)'")
    return expression


def as_number(text: str | None, where: str) -> float:
    """The number; raises InputError if the text is not a number."""
    try:
        return float(text or "")
    except ValueError as error:
        raise InputError(f"{where} is not a number: {text!r}") from error
