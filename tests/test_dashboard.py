"""The real optuna-dashboard opens what scripts/search.py stores, by the command that the search prints."""

import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

SEARCH = Path(__file__).parents[1] / "scripts" / "search.py"
DASHBOARD = Path(sys.executable).with_name("optuna-dashboard")
TRIALS = 4
# Two rungs, 1 and 2 epochs; the best of a batch of four go on.
OPTIONS = [
    "--dataset",
    "digits",
    "--epochs",
    "2",
    "--rung-fractions",
    "0.5",
    "--least-updates",
    "1",
    "--device",
    "cpu",
    "--study",
    "browsed",
]
STORED = """
    SELECT trials.number, step, intermediate_value FROM trials JOIN trial_intermediate_values USING (trial_id)
    ORDER BY trials.number, step
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the study is kept."""
    return tmp_path_factory.mktemp("dashboard") / "studies.db"


@pytest.fixture(scope="module")
def get(database: Path) -> Iterator[Callable[[str], Any]]:
    """Search, start the dashboard as the search says, and read a path of its HTTP API."""
    command = [sys.executable, str(SEARCH), *OPTIONS, "--trials", str(TRIALS), "--storage", f"sqlite:///{database}"]
    searched = subprocess.run(command, cwd=database.parent, capture_output=True, text=True, timeout=120)
    assert searched.returncode == 0, searched.stderr
    printed = re.search(r"optuna-dashboard (\S+)", searched.stdout)
    assert printed, searched.stdout

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = database.with_name("dashboard.log")
    opener = build_opener(ProxyHandler({}))  # no proxy stands between us and this machine

    def get(path: str) -> Any:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return json.load(response)

    arguments = [str(DASHBOARD), printed[1], "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output, subprocess.Popen(arguments, stdout=output, stderr=output) as server:
        try:
            wait_for(lambda: get("/api/meta"), server, log)
            yield get
        finally:
            server.kill()


def wait_for(answer: Callable[[], Any], server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return at the first answer; fail with the server's log where it ends, or is silent for too long."""
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            answer()
        except OSError:  # refused, or cut off
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"optuna-dashboard gave no answer (exit status {server.poll()}): {log.read_text()}")


def test_lists_the_study_with_its_direction(get: Callable[[str], Any]) -> None:
    """The name, and whether lower is better."""
    (summary,) = get("/api/studies")["study_summaries"]
    assert (summary["study_id"], summary["study_name"], summary["directions"]) == (1, "browsed", ["minimize"])


def test_serves_every_finished_trial_with_its_value_at_each_rung(get: Callable[[str], Any], database: Path) -> None:
    """Complete trials at both rungs, pruned ones at the first; the same numbers as in the database."""
    trials = get("/api/studies/1?after=0")["trials"]
    assert [trial["number"] for trial in trials] == list(range(TRIALS))
    assert {trial["state"] for trial in trials} == {"Complete", "Pruned"}
    for trial in trials:
        rungs = [point["step"] for point in trial["intermediate_values"]]
        assert rungs == ([1, 2] if trial["state"] == "Complete" else [1])
        assert trial["values"] == [trial["intermediate_values"][-1]["value"]]
        assert {param["name"] for param in trial["params"]} >= {"family", "peak_lr"}
    served = [(trial["number"], at["step"], at["value"]) for trial in trials for at in trial["intermediate_values"]]
    with closing(sqlite3.connect(database)) as connection:
        assert served == connection.execute(STORED).fetchall()
