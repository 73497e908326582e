"""Eight searches in one database at the same time, while a dashboard reads it: each must equal one that was alone."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from study.evidence.reliability.commands import ended, said_by, start, substance
from study.evidence.reliability.kills import LONGEST, STORAGE, a_search


class Together(NamedTuple):
    """What was found.

    equal: searches that equal the one alone. reads: answers of the dashboard with the trials of a study. refused:
    answers that were none. seconds: until the last search ended. problems: what searches that failed said.
    """

    searches: int
    equal: int
    reads: int
    refused: int
    seconds: float
    problems: tuple[str, ...]


def search_together(folder: Path, searches: int) -> Together:
    """Start them all, and read every study through the dashboard until the last one has ended."""
    setup, storage = (
        a_search("together", "--rung-fractions", "0.34", "--sampler", "tpe"),
        f"sqlite:///{folder}/storm.db",
    )
    said_by(start(setup.script, setup.arguments, folder), LONGEST)
    [wanted] = substance(storage).values()
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/studies"
    names = [f"search-{number}" for number in range(searches)]
    running: list[subprocess.Popen[str]] = []
    reads, refused = 0, 0
    dashboard = start("dashboard.py", ("--storage", STORAGE, "--port", str(port)), folder)
    with ended([dashboard]), ended(running):
        wait_for_answer(url, dashboard)
        began = time.monotonic()
        running += [start(setup.script, (*setup.arguments, "--study", name), folder) for name in names]
        while any(process.poll() is None for process in running) and time.monotonic() - began < LONGEST:
            answered, failed = read_all(url)
            reads, refused = reads + answered, refused + failed
            time.sleep(0.2)
        seconds = time.monotonic() - began
        said = [said_by(process, 60) for process in running]
        problems = tuple(text[-300:] for text, process in zip(said, running, strict=True) if process.returncode)
    found = substance(storage)
    return Together(searches, sum(found.get(name) == wanted for name in names), reads, refused, seconds, problems)


def wait_for_answer(url: str, dashboard: subprocess.Popen[str]) -> None:
    """Until the dashboard gives the trials of a study; raises RuntimeError if it ends, or does not within a minute."""
    began = time.monotonic()
    while read_all(url)[0] == 0:
        if dashboard.poll() is not None or time.monotonic() - began > 60:
            raise RuntimeError("the dashboard does not answer")
        time.sleep(0.2)


def read_all(url: str) -> tuple[int, int]:
    """(studies whose trials the dashboard gave, requests that it did not answer with them)."""
    try:
        with urlopen(url, timeout=60) as answer:
            every = json.loads(answer.read())["study_summaries"]
    except (URLError, ConnectionError, ValueError, KeyError):
        return 0, 1
    answered = 0
    for one in every:
        request = f"{url}/{one['study_id']}?after=0"
        with suppress(URLError, ConnectionError, ValueError), urlopen(request, timeout=60) as answer:
            answered += "trials" in json.loads(answer.read())
    return answered, len(every) - answered


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
