"""A storm of damaged databases: bytes are flipped anywhere, and attributes replaced by something else.

Each command must then either say in one message what is wrong, or find what it finds in the undamaged database.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from study.evidence.reliability.commands import MESSAGE, RESULT, TRACEBACK, Outcome, run_here, substance
from study.search.bracket import Bracket
from study.search.candidate import Candidate
from study.storage.studies import read_study

STUDY = "sound"
SEARCH = (
    *("--dataset", "digits", "--epochs", "2", "--rung-fractions", "0.5", "--least-steps", "1", "--engine", "loop"),
    *("--families", "cosine", "rex", "--sampler", "tpe", "--startup-trials", "4", "--trials-per-batch", "2"),
    *("--confirm-seeds", "2", "--study", STUDY),
)
TRIALS = 6
INSTEAD = ("3", "{}", "[]", '"text"', "null", "NaN", "{x", "1e999", "[[]]", "-1", "true")
"""What an attribute is replaced by: JSON that is not what stood there, and one that is not JSON."""
SAME, OTHER = "the same result", "another result"
KINDS = (MESSAGE, SAME, OTHER, TRACEBACK)


class Case(NamedTuple):
    """What was damaged, which command was given it, and what came of it; said: what the command printed last."""

    damage: str
    command: str
    kind: str
    said: str


def flip(path: Path, random: Random) -> str:
    """Change up to 16 bytes anywhere in the file; returns what was done."""
    content = bytearray(path.read_bytes())
    places = [random.randrange(len(content)) for _ in range(random.choice([1, 1, 2, 4, 16]))]
    for place in places:
        content[place] ^= random.randrange(1, 256)
    path.write_bytes(content)
    return f"bytes {places}"


def replace_attribute(path: Path, random: Random) -> str:
    """Replace an attribute of the study or of a trial, or remove it; returns what was done."""
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = [("study_user_attributes", "study_user_attribute_id")] * 2 + [
            ("trial_user_attributes", "trial_user_attribute_id")
        ]
        table, key = random.choice(tables)
        every = connection.execute(f"SELECT {key}, key, value_json FROM {table}").fetchall()
        number, name, stored = random.choice(every)
        if random.random() < 0.1:
            connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (number,))
            return f"{name} removed"
        instead = random.choice(INSTEAD)
        if random.random() < 0.6:  # within it
            instead = json.dumps(replaced_within(json.loads(stored), instead, random))
        connection.execute(f"UPDATE {table} SET value_json = ? WHERE {key} = ?", (instead, number))
    return f"{name} is {instead[:200]}"


def replaced_within(value: object, instead: str, random: Random) -> object:
    """The same value with something within it replaced."""
    if isinstance(value, dict) and value:
        key = random.choice(list(value))
        return {**value, key: replaced_within(value[key], instead, random)}
    if isinstance(value, list) and value:
        place = random.randrange(len(value))
        return [*value[:place], replaced_within(value[place], instead, random), *value[place + 1 :]]
    with suppress(ValueError):
        return json.loads(instead)
    return instead


def damaged_databases(folder: Path, cases: int, seed: int, processes: int = 1) -> Iterator[Case]:
    """Try this many damaged databases with each command, half of each kind of damage.

    processes: databases at a time. The commands run in the working directory.
    """
    sound = folder / "sound.db"
    searched = run_here("search.py", *SEARCH, "--trials", str(TRIALS), "--storage", f"sqlite:///{sound}")
    assert searched.kind == RESULT, searched
    interrupted_search(f"sqlite:///{sound}")
    with closing(sqlite3.connect(sound)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the file alone is the database
    wanted = {name: command(copied(sound, folder / f"{name}.db")) for name, command in COMMANDS.items()}
    tried = partial(damaged_database, folder, seed, wanted)
    if processes == 1:
        found = map(tried, range(cases))
        yield from chain.from_iterable(found)
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        yield from chain.from_iterable(pool.map(tried, range(cases)))


def damaged_database(folder: Path, seed: int, wanted: dict[str, Outcome], number: int) -> list[Case]:
    """Give each command the database with this number. wanted: their outcomes for the undamaged one."""
    damage, cases = (flip, replace_attribute)[number % 2], []
    for name, command in COMMANDS.items():
        path = copied(folder / "sound.db", folder / f"{number}-{name}.db")
        what = damage(path, Random(f"{seed} {number}"))
        found = command(path)
        cases.append(Case(what, name, kind_of(found, wanted[name]), found.errors[-20000:]))
        remove(path)
    return cases


def interrupted_search(storage: str) -> None:
    """Begin two more trials, and interrupt that when the first one has ended: the other is saved as far as it is."""
    store = Bracket.store

    def interrupted(bracket: Bracket, ended: Sequence[Candidate]) -> None:
        store(bracket, ended)
        signal.raise_signal(signal.SIGINT)

    with patch.object(Bracket, "store", interrupted):
        run_here("search.py", *SEARCH, "--trials", str(TRIALS + 2), "--storage", storage)
    assert read_study(storage, STUDY).unfinished


def copied(sound: Path, path: Path) -> Path:
    """A copy of a database."""
    shutil.copy(sound, path)
    return path


def remove(path: Path) -> None:
    """Remove a database and what lies beside it."""
    for one in path.parent.glob(f"{path.name}*"):
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def kind_of(found: Outcome, wanted: Outcome) -> str:
    """How an outcome counts, beside that of the undamaged database."""
    if found.kind == RESULT:
        return SAME if found.output == wanted.output else OTHER
    return found.kind


def code_from(path: Path) -> Outcome:
    """The code of the answer."""
    code = path.with_suffix(".py")
    outcome = run_here("export.py", "--study", STUDY, "--storage", f"sqlite:///{path}", "--output", str(code))
    return Outcome(RESULT, code.read_text(), outcome.errors) if outcome.kind == RESULT else outcome


def reported(path: Path) -> Outcome:
    """The report, in words: its output is that of report.md."""
    folder = path.with_suffix(".report")
    outcome = run_here("report.py", "--study", STUDY, "--storage", f"sqlite:///{path}", "--output", str(folder))
    if outcome.kind == RESULT:
        outcome = Outcome(RESULT, (folder / "report.md").read_text(), outcome.errors)
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def searched_on(path: Path) -> Outcome:
    """Two more trials: its output is what the study then holds."""
    storage = f"sqlite:///{path}"
    outcome = run_here("search.py", *SEARCH, "--trials", str(TRIALS + 2), "--storage", storage)
    if outcome.kind == RESULT:
        try:
            outcome = Outcome(RESULT, repr(substance(storage)), outcome.errors)
        except Exception as error:  # the search has not read what was damaged
            outcome = Outcome(RESULT, f"{type(error).__name__}: {error}", outcome.errors)
    return outcome


COMMANDS: dict[str, Callable[[Path], Outcome]] = {"export": code_from, "report": reported, "search": searched_on}
"""What each damaged database is given to."""


def counts(cases: list[Case]) -> dict[str, Counter[str]]:
    """How often each command did each of KINDS."""
    found: dict[str, Counter[str]] = {}
    for case in cases:
        found.setdefault(case.command, Counter())[case.kind] += 1
    return found
