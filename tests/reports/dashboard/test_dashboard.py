"""The real optuna-dashboard, by the command that a search prints, shows what was stored; and so does a browser."""

import http.client
import json
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import optuna
import psutil
import pytest
from optuna.trial import TrialState, create_trial

from search_spaces import InputError
from study.evidence.browser import READY, browser_page, open_page
from study.evidence.dashboard_picture import take_picture
from study.reports.dashboard.figures import FIGURES
from study.reports.dashboard.server import make_server_for
from tests.helpers import ROOT

SCRIPTS = ROOT / "scripts"
SEARCH = SCRIPTS / "search.py"
OPENER = build_opener(ProxyHandler({}))  # no proxy stands between us and this machine
TRIALS = 4
# Two rungs, 1 and 2 epochs; the best of a batch of four go on.
OPTIONS = [
    "--dataset",
    "digits",
    "--epochs",
    "2",
    "--rung-fractions",
    "0.5",
    "--least-steps",
    "1",
    "--device",
    "cpu",
    "--study",
    "browsed",
]
PICTURE = "document.querySelector('img[src*=\"/artifacts/\"]')"
STORED = """
    SELECT trials.number, step, intermediate_value FROM trials JOIN trial_intermediate_values USING (trial_id)
    ORDER BY trials.number, step
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the study is kept."""
    return tmp_path_factory.mktemp("dashboard") / "studies.db"


@pytest.fixture(scope="module")
def address(database: Path) -> Iterator[str]:
    """Search, and start the dashboard as the search says; where it is served."""
    command = [sys.executable, str(SEARCH), *OPTIONS, "--trials", str(TRIALS), "--storage", f"sqlite:///{database}"]
    searched = subprocess.run(command, cwd=database.parent, capture_output=True, text=True, timeout=120)
    assert searched.returncode == 0, searched.stderr
    printed = re.search(r"python scripts/dashboard.py (.+)", searched.stdout)
    assert printed, searched.stdout

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = database.with_name("dashboard.log")
    arguments = [sys.executable, str(SCRIPTS / "dashboard.py"), *shlex.split(printed[1]), "--port", str(port)]
    with log.open("w") as output, subprocess.Popen(arguments, stdout=output, stderr=output) as server:
        try:
            wait_for(lambda: OPENER.open(f"http://127.0.0.1:{port}/api/meta", timeout=30).close(), server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()  # SIGINT is ignored by what a script starts in the background
            assert server.wait(30) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def get(address: str) -> Callable[[str], Any]:
    """Read a path of its HTTP API."""

    def get(path: str) -> Any:
        with OPENER.open(address + path, timeout=30) as response:
            return json.load(response)

    return get


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
    """Complete trials at both rungs, pruned ones at the first, which have no value; the numbers of the database."""
    trials = get("/api/studies/1?after=0")["trials"]
    assert [trial["number"] for trial in trials] == list(range(TRIALS))
    assert {trial["state"] for trial in trials} == {"Complete", "Pruned"}
    for trial in trials:
        rungs = [point["step"] for point in trial["intermediate_values"]]
        assert rungs == ([1, 2] if trial["state"] == "Complete" else [1])
        last = trial["intermediate_values"][-1]["value"]
        assert trial.get("values") == ([last] if trial["state"] == "Complete" else None)
        assert {param["name"] for param in trial["params"]} >= {"family", "peak_lr"}
    served = [(trial["number"], at["step"], at["value"]) for trial in trials for at in trial["intermediate_values"]]
    with closing(sqlite3.connect(database)) as connection:
        assert served == connection.execute(STORED).fetchall()


def test_trials_carry_the_order_in_which_they_were_asked(get: Callable[[str], Any]) -> None:
    """One batch of four, whose promoted trials are stored last; also in an answer of the last trials alone."""
    served = get("/api/studies/1?after=0")
    attributes = [{pair["key"]: pair["value"] for pair in trial["user_attrs"]} for trial in served["trials"]]
    assert sorted(int(own["asked"]) for own in attributes) == [1, 2, 3, 4]
    assert {"full run", "stopped after 1 epoch"} <= {own["outcome"].removesuffix(", reference") for own in attributes}
    assert {"key": "asked", "sortable": True} in served["union_user_attrs"]
    assert get(f"/api/studies/1?after={TRIALS - 1}")["trials"] == served["trials"][-1:]


def test_importance_is_served_by_the_rule_of_the_console(get: Callable[[str], Any]) -> None:
    """Of four trials there is none, where Optuna would give every parameter a share."""
    assert get("/api/studies/1/param_importances") == {"param_importances": [[]]}


def test_studies_of_others_are_served_as_they_are(tmp_path: Path) -> None:
    """A study that Optuna alone made keeps the values of its pruned trials, and Optuna's importance."""
    url = f"sqlite:///{tmp_path}/others.db"
    study = optuna.create_study(storage=url, study_name="others")
    space = {"x": optuna.distributions.FloatDistribution(0, 1)}
    for number, state in enumerate([TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]):
        study.add_trial(create_trial(state=state, value=0.5 - 0.1 * number, params={"x": 0.3}, distributions=space))
    with make_server_for(url, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for path, key in (("/api/studies/1", "trials"), ("/api/studies/1/param_importances", "param_importances")):
            with OPENER.open(f"http://127.0.0.1:{server.server_port}{path}", timeout=30) as response:
                assert json.load(response)[key]
        with OPENER.open(f"http://127.0.0.1:{server.server_port}/api/studies/1", timeout=30) as response:
            assert [trial["values"] for trial in json.load(response)["trials"]] == [[0.5], [0.4], [0.3]]
        with pytest.raises(HTTPError, match="404"):
            OPENER.open(f"http://127.0.0.1:{server.server_port}/api/studies/9", timeout=30)
        server.shutdown()


def test_a_study_made_before_is_shown_the_same_way(tmp_path: Path) -> None:
    """The order in which its trials were asked follows from what was stored then."""
    shutil.copy(ROOT / "tests" / "data" / "format-3.db", tmp_path / "before.db")
    with make_server_for(f"sqlite:///{tmp_path}/before.db", 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with OPENER.open(f"http://127.0.0.1:{server.server_port}/api/studies/1", timeout=30) as response:
            trials = json.load(response)["trials"]
        server.shutdown()
    asked = [int(pair["value"]) for trial in trials for pair in trial["user_attrs"] if pair["key"] == "asked"]
    assert sorted(asked) == list(range(1, 11)) != asked
    assert {trial["state"] == "Complete" for trial in trials if "values" in trial} == {True}


def test_serves_the_note_the_figures_and_the_artifacts(get: Callable[[str], Any], address: str) -> None:
    """The note names the best; figures are whole; the files of each complete trial can be had."""
    study = get("/api/studies/1?after=0")
    complete = [trial for trial in study["trials"] if trial["state"] == "Complete"]
    best = min(complete, key=lambda trial: trial["values"][0])
    assert f"- Best single run: trial {best['number']} " in study["note"]["body"]
    assert tuple(one["id"] for one in study["plotly_graph_objects"]) == FIGURES
    assert all(json.loads(one["graph_object"])["data"] for one in study["plotly_graph_objects"])
    for trial in study["trials"]:
        files = {one["filename"]: one["artifact_id"] for one in trial["artifacts"]}
        assert files.keys() == ({"run.svg", "curve.csv"} if trial in complete else set())
        for name, artifact in files.items():
            with OPENER.open(f"{address}/artifacts/1/{trial['trial_id']}/{artifact}", timeout=30) as response:
                assert response.read().startswith(b"<svg" if name == "run.svg" else b"step,val_loss,val_error,lr,")


def test_listens_on_this_machine_only(address: str) -> None:
    port = int(address.rpartition(":")[2])
    sockets = [one for one in psutil.net_connections("tcp") if one.status == "LISTEN"]
    listening = [one.laddr.ip for one in sockets if one.laddr.port == port]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:PORT"}, 200),
        ({"Host": "127.0.0.1"}, 200),  # a browser leaves out port 80
        ({"Origin": "http://127.0.0.1:PORT"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:PORT", "Origin": "http://evil.example:PORT"}, 403),
        ({"Host": "localhost:9000", "Origin": "http://localhost:9000"}, 200),  # through a tunnel
        ({"Host": "127.0.0.1.evil.example:PORT"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),  # another program of this machine
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_answers_only_its_own_pages(headers: dict[str, str], status: int, address: str) -> None:
    """A page of another site, whose name leads to this machine, would otherwise read and delete studies."""
    port = address.rpartition(":")[2]
    named = {name: value.replace("PORT", port) for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request("GET", "/api/studies", headers=named)
    assert connection.getresponse().status == status
    connection.close()


def test_a_request_without_an_encoding_is_answered(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    """As `curl` sends it: optuna-dashboard alone prints a traceback."""
    connection = http.client.HTTPConnection("127.0.0.1", int(address.rpartition(":")[2]), timeout=30)
    for path in ("/dashboard", "/static/bundle.js"):
        connection.putrequest("GET", path, skip_accept_encoding=True)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    connection.close()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_a_browser_shows_all_of_it(address: str, get: Callable[[str], Any]) -> None:
    """Figures that are drawn, the note, a trial's picture, the picture for the README; no page is too wide."""
    complete = [trial for trial in get("/api/studies/1?after=0")["trials"] if trial["state"] == "Complete"]
    try:
        with browser_page() as page:
            for path, ready in READY.items():
                best = complete[0]["number"]
                open_page(page, f"{address}/dashboard/studies/1{path.format(best=best)}", ready)
                if path != "":  # the history is as wide as the dashboard makes it
                    assert page.evaluate("document.querySelector('main').scrollWidth <= window.innerWidth"), path
            assert page.evaluate(f"{PICTURE}.getBoundingClientRect().width > 600"), "large enough to read"
            page.set_viewport_size({"width": 1000, "height": 3000})
            assert take_picture(page, address, "browsed").startswith(b"\x89PNG")
    except InputError as error:
        pytest.skip(str(error))


def test_says_what_is_wrong(command: Callable[..., Any], address: str, database: Path, tmp_path: Path) -> None:
    """A port that is taken, a database that is not there, is empty, or is something else: nothing is made."""
    taken = address.rpartition(":")[2]
    result = command("dashboard.py", "--storage", f"sqlite:///{database}", "--port", taken)
    assert (result.code, result.out) == (2, "")
    assert f"error: port {taken} is taken by another program: give another with --port" in result.err
    assert command("dashboard.py", "--port", 0).err.startswith("error: --port must be from 1 to 65535, but 0 was given")
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("no database" * 100)
    for name, said in {
        "none.db": "there is no database none.db: check --storage, or search first",
        "empty.db": "there is no database empty.db: check --storage, or search first",
        "text.db": "text.db is not an SQLite database, or is damaged",
    }.items():
        result = command("dashboard.py", "--storage", f"sqlite:///{name}", "--port", taken)
        assert result.code == 2
        assert said in result.err
        assert "Traceback" not in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "results", "text.db"]
    assert (tmp_path / "empty.db").stat().st_size == 0
