"""A table's file as a pandas DataFrame: its separator, encoding and header; numbers and text as they are there."""

from __future__ import annotations

import csv
import gzip
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError, words_of
from study.workloads.named import name_list
from study.workloads.number_cells import CELL

UNNAMED = "Unnamed: "
"""How pandas names a column without a name, such as the index that DataFrame.to_csv() writes."""
MOST_COLUMNS = 100_000
"""Of more, pandas would take minutes."""
LOOKED_AT = 100
"""Number of rows from which the decimal sign is found."""
DECIMAL_COMMA = re.compile(r"(\d+|\d{1,3}(\.\d{3})+),\d+")
DECIMAL_POINT = re.compile(r"(?![1-9]\d{0,2}\.\d{3}$)\d+\.\d+|\d{1,3}(,\d{3})+(\.\d+|,\d{3})")
"""A number that is written without decimal commas. 1.037 is not matched: it may be 1037."""


@dataclass(frozen=True)
class TableFile:
    """How a file separates its cells. decimal: its decimal sign. form: what is unusual about it, for people."""

    path: Path
    encoding: str
    separator: str
    decimal: str
    form: str = ""

    def read(self) -> Any:
        """The cells; an empty cell is NaN, and no other text is. Raises InputError if it is not a table."""
        import pandas as pd  # takes a second, which other data need not wait for

        names = self.names()
        try:
            with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
                # index_col=False: otherwise pandas uses the first column as the index if lines have an extra separator.
                return pd.read_csv(
                    self.path,
                    sep=self.separator,
                    decimal=self.decimal,
                    encoding=self.encoding,
                    header=0,
                    names=names,
                    keep_default_na=False,
                    na_values=[""],
                    skipinitialspace=True,
                    index_col=False,
                    low_memory=False,  # otherwise a long column may have several types
                )
        except pd.errors.ParserWarning as error:
            raise InputError(
                f"{self.path}: some lines have more fields than the header has names: remove the extra"
            ) from error
        except (OSError, ValueError, EOFError, OverflowError) as error:  # pandas raises subclasses of ValueError
            raise unreadable(self.path, error) from error

    def names(self) -> list[str]:
        """The names in the header; raises InputError if a name occurs twice."""
        try:
            with open_table(self.path, "rt", encoding=self.encoding, newline="") as file:
                rows = csv.reader(file, delimiter=self.separator, skipinitialspace=True)
                header = next((row for row in rows if row), [])
        except (OSError, ValueError, EOFError, csv.Error) as error:
            raise unreadable(self.path, error) from error
        names = [name.strip() or f"{UNNAMED}{position}" for position, name in enumerate(header)]
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            raise InputError(f"{self.path}: the header has {name_list(map(repr, twice))} twice: rename or remove one")
        if len(names) > MOST_COLUMNS:
            raise InputError(
                f"{self.path} has {len(names):,} columns, but at most {MOST_COLUMNS:,} can be read: leave some out"
            )
        if not names:
            raise InputError(f"{self.path} cannot be read as a table (it is empty): it needs a header of column names")
        return names

    def lines(self) -> Iterator[int]:
        """The line that each row of the table begins in, the header first."""
        with open_table(self.path, "rt", encoding=self.encoding, newline="") as file:
            before, rows = 0, csv.reader(file, delimiter=self.separator, skipinitialspace=True)
            for row in rows:
                if row:
                    yield before + 1
                before = rows.line_num


def table_file(path: Path) -> TableFile:
    """How the file separates its cells, from its first lines. Raises InputError if it cannot be read as text."""
    try:
        with open_table(path, "rb") as file:
            encoding = "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        tabs = ".tsv" in path.name.lower()
        with open_table(path, "rt", encoding=encoding, newline="") as file:
            header = next((line for line in file if line.strip()), "")
            separator = "\t" if tabs else max(",;\t", key=header.count)
            file.seek(0)
            rows = filter(None, csv.reader(file, delimiter=separator, skipinitialspace=True))
            commas = separator != "," and decimal_commas(chain.from_iterable(islice(rows, 1, LOOKED_AT + 1)))
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise unreadable(path, error) from error
    form = ["separated by ;"] if separator == ";" else ["separated by tabs"] if separator == "\t" and not tabs else []
    form += ["with decimal commas"] if commas else []
    form += ["in UTF-16"] if encoding == "utf-16" else []
    return TableFile(path, encoding, separator, "," if commas else ".", " ".join(form))


def decimal_commas(cells: Iterable[str]) -> bool:
    """Whether some of the cells have decimal commas, and none a decimal point.

    >>> decimal_commas(["1.037", "12,5"]), decimal_commas(["1.5", "12,5"]), decimal_commas(["01.02.2024", "3,25 kg"])
    (True, False, True)
    """
    bodies = [match["body"] for cell in cells if (match := CELL.fullmatch(cell.strip()))]
    return any(map(DECIMAL_COMMA.fullmatch, bodies)) and not any(map(DECIMAL_POINT.fullmatch, bodies))


def open_table(path: Path, mode: str, **options: Any) -> Any:
    """Open a file as `open` does; it is decompressed if its name ends in .gz."""
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    return opener(path, mode, **options)


def unreadable(path: Path, error: Exception) -> InputError:
    """The error for a file that is not a table."""
    if isinstance(error, UnicodeError):
        return InputError(f"{path} cannot be read as a table ({words_of(error)}): save it as CSV in UTF-8")
    return InputError(f"{path} cannot be read as a table ({words_of(error)}): it needs a header of column names")
