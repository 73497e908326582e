"""A storm of kills: searches and benchmarks are killed at random moments, and resumed; none may differ from one that
was left alone.

A report is killed, too: what is in its folder then must be whole files, of the older report or of the new one.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from study.evidence.reliability.commands import ended, said_by, start, substance
from study.evidence.reliability.side_by_side import one_after_another

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
"""What a process is sent, each as likely."""
STORAGE = "sqlite:///storm.db"
COMMON = (
    *("--dataset", "digits", "--engine", "loop", "--families", "cosine", "rex", "one_cycle", "--least-steps", "1"),
    *("--storage", STORAGE),
)
LONGEST = 900.0
"""Seconds that a command may take when it is left alone, on a busy machine."""


@dataclass(frozen=True)
class Setup:
    """What is killed. statements: how many SQL statements and commits a whole run makes, about."""

    name: str
    script: str
    arguments: tuple[str, ...]
    statements: int = 700


def a_search(name: str, *arguments: str) -> Setup:
    """A search of 16 trials, and its confirmation."""
    own = ("--epochs", "3", "--trials", "16", "--trials-per-batch", "4", "--trials-per-bracket", "8")
    seeds = ("--startup-trials", "6", "--confirm-seeds", "2", "--study", "storm")
    return Setup(name, "search.py", (*COMMON, *own, *seeds, *arguments))


SETUPS = (
    a_search("our rungs, gp", "--rung-fractions", "0.34"),
    a_search("our rungs, an audit", "--rung-fractions", "0.34", "--audit", "0.5", "--sampler", "tpe"),
    a_search("median", "--pruner", "median", "--sampler", "tpe"),
    a_search("hyperband", "--pruner", "hyperband", "--sampler", "tpe"),
    a_search("successive halving", "--pruner", "halving", "--sampler", "tpe"),
    a_search("two workers", "--rung-fractions", "0.34", "--executor", "processes", "--workers", "2"),
    Setup(
        "a benchmark",
        "benchmark.py",
        (*COMMON, "--epochs", "2", "--trials-per-family", "4", "--confirm-seeds", "2", "--name", "storm"),
    ),
)


class Kill(NamedTuple):
    """A start that was killed: the setup, the signal, the moment in words, and whether it was still running then."""

    setup: str
    signal: str
    moment: str
    was_running: bool


class Resumed(NamedTuple):
    """A study after its kills. problem: empty if it equals the undisturbed one."""

    setup: str
    kills: tuple[Kill, ...]
    problem: str


def undisturbed(setup: Setup, folder: Path) -> tuple[float, str]:
    """(seconds, substance) of a run that is left alone."""

    folder.mkdir()
    began = time.monotonic()
    process = start(setup.script, setup.arguments, folder)
    said = said_by(process, LONGEST)
    if process.returncode:
        raise RuntimeError(f"{setup.name} ended with exit code {process.returncode}: {said[-2000:]}")
    return time.monotonic() - began, what_is_held(folder)


def what_is_held(folder: Path) -> str:
    """All studies of the storm's database in this folder, as text that is equal for equal ones."""
    return repr(substance(f"sqlite:///{folder / 'storm.db'}"))


def killed_start(setup: Setup, folder: Path, seconds: float, random: Random) -> Kill:
    """Start the setup in this folder, and kill it at a random moment: of time, or at a random SQL statement."""
    number = random.choice(SIGNALS)
    if random.random() < 0.5:
        at = random.choice([random.randint(1, 150), random.randint(1, setup.statements)])
        before = ("-m", "study.evidence.reliability.killed_at", str(at), str(int(number)))
        process, moment = start(setup.script, setup.arguments, folder, before), f"statement {at}"
        said_by(process, LONGEST)
        return Kill(setup.name, number.name, moment, process.returncode not in (0, 2))
    wait = random.uniform(0, seconds)
    process = start(setup.script, setup.arguments, folder)
    running = sent_while_running(process, number, wait)
    return Kill(setup.name, number.name, f"after {wait:.2f} s", running)


def sent_while_running(process: subprocess.Popen[str], number: int, wait: float) -> bool:
    """Send the signal after this many seconds, and wait for the end; returns whether the process still ran then."""
    with ended([process]):
        try:
            process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.communicate(timeout=LONGEST)
            return True
    return False


def kill_storm(
    folder: Path, kills: int, seed: int, setups: tuple[Setup, ...] = SETUPS, processes: int = 1
) -> Iterator[Resumed]:
    """Kill until this many starts have been killed while they ran; each study three to eight times, in turn.

    processes: studies at a time; they come in the same order for any number.
    """
    with ThreadPoolExecutor(processes) as pool:  # each thread waits for a process
        alone = list(pool.map(undisturbed, setups, [folder / f"alone-{number}" for number in range(len(setups))]))

    def killed_study(number: int) -> Resumed:
        setup, random = setups[number % len(setups)], Random(f"{seed} {number}")
        place = folder / str(number)
        place.mkdir()
        seconds, wanted = alone[number % len(setups)]
        most = min(random.randint(3, 8), kills)
        own = tuple(killed_start(setup, place, seconds, random) for _ in range(most))
        return Resumed(setup.name, own, resumed_problem(setup, place, wanted))

    done = 0
    for one in one_after_another(killed_study, processes):
        yield one
        done += max(1, sum(kill.was_running for kill in one.kills))
        if done >= kills:
            return


def resumed_problem(setup: Setup, folder: Path, wanted: str) -> str:
    """Let the setup end now; what is wrong with it, or nothing."""
    process = start(setup.script, setup.arguments, folder)
    said = said_by(process, LONGEST)
    if process.returncode:
        return f"exit code {process.returncode}: {said[-500:]}"
    return "" if what_is_held(folder) == wanted else "another study"


class KilledReport(NamedTuple):
    """A report that was killed. problem: empty if what its folder holds is whole."""

    signal: str
    was_running: bool
    problem: str


def killed_reports(folder: Path, kills: int, seed: int, processes: int = 1) -> Iterator[KilledReport]:
    """Kill the report of a study this many times at random moments, half of them over an older report.

    processes: reports at a time.
    """
    undisturbed(SETUPS[0], folder / "reported")
    began = time.monotonic()
    said_by(reporting(folder, "whole"), LONGEST)
    seconds = time.monotonic() - began
    whole = contents(folder / "reported" / "whole")
    with ThreadPoolExecutor(processes) as pool:
        pairs = pool.map(partial(killed_twice, folder, seconds, whole, seed), range((kills + 1) // 2))
        yield from islice(chain.from_iterable(pairs), kills)


def killed_twice(folder: Path, seconds: float, whole: dict[str, bytes], seed: int, pair: int) -> list[KilledReport]:
    """Kill the report in a new folder, and once more in the same. seconds, whole: of a report that is left alone."""
    place, found = folder / "reported" / f"report-{pair}", []
    for number in (2 * pair, 2 * pair + 1):
        random = Random(f"{seed} report {number}")
        sent, wait = random.choice(SIGNALS), random.uniform(0.5 * seconds, 1.1 * seconds)
        running = sent_while_running(reporting(folder, place.name), sent, wait)
        left = contents(place) if place.exists() else {}
        wrong = [name for name, content in left.items() if whole.get(name) != content]
        missing = [name for name in whole if name not in left] if not running else []
        found.append(KilledReport(sent.name, running, ", ".join([*wrong, *missing])))
    return found


def reporting(folder: Path, output: str) -> subprocess.Popen[str]:
    """A report that is being written to this folder beside its study."""
    return start("report.py", ("--study", "storm", "--storage", STORAGE, "--output", output), folder / "reported")


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, without what a killed process left beside them."""
    return {one.name: one.read_bytes() for one in folder.iterdir() if not one.name.endswith(".partial")}
