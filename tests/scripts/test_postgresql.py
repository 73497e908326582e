"""Every command on a PostgreSQL server: killed, restarted, watched; and no password in what is left."""

import http.client
import json
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from urllib.parse import quote

import pytest

import study
from study.evidence.private_server import PASSWORD, USER
from study.storage.copying import copy_study_to
from tests.helpers import finished, start

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgresql")

pytestmark = pytest.mark.slow
KILLED = ["--dataset", "digits", "--epochs", 2, "--rung-fractions", 0.5, "--least-steps", 1, "--study", "killed"]
KILLED += ["--trials", 32, "--startup-trials", 5, "--trials-per-batch", 4, "--engine", "loop", "--confirm-seeds", 0]
SMALL = ["--dataset", "digits", "--epochs", 1, "--trials", 3, "--engine", "loop", "--confirm-seeds", 2]
LOST = "Finished trials are kept: type the same command to continue"


@contextmanager
def started(*arguments, cwd):
    """A script as a process, which has ended with the context."""
    process = start(*arguments, cwd=cwd)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def trials_of(storage):
    return study.load("killed", storage).record.trials


def stored(url):
    """How many trials the server has; 0 if there are no tables yet."""
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT count(*) FROM trials").fetchone()[0]
    except psycopg.errors.UndefinedTable:
        return 0


def wait_for_trials(process, url, number):
    deadline = time.monotonic() + 120
    while stored(url) < number:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def shown_trials(port):
    """How many trials the dashboard shows of the first study; None while it, or the server, does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/api/studies/1?after=0")
        answer = connection.getresponse()
        return len(json.loads(answer.read())["trials"]) if answer.status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


def wait_until_shown(port, number):
    deadline = time.monotonic() + 90
    while (shown_trials(port) or 0) < number:
        assert time.monotonic() < deadline, shown_trials(port)
        time.sleep(0.1)


@pytest.mark.timeout(400)
def test_killed_and_with_the_server_restarted_it_is_the_same_study(server, database, folder, tmp_path_factory):
    alone = tmp_path_factory.mktemp("alone")
    (alone / "results").mkdir()
    search = ["search.py", *KILLED, "--storage", database]
    with started("search.py", *KILLED, cwd=alone) as untouched:
        with started(*search, cwd=folder) as first:
            wait_for_trials(first, database, 6)
            first.kill()
        killed_at = stored(database)
        assert 6 <= killed_at < 28
        port = free_port()
        with started("dashboard.py", "--storage", database, "--port", port, cwd=folder) as dashboard:
            wait_until_shown(port, killed_at)
            with started(*search, cwd=folder) as second:
                wait_for_trials(second, database, killed_at + 2)
                server.stop()
                time.sleep(1)
                server.start()
                said, _ = second.communicate(timeout=120)
            assert (second.returncode == 0 and ": waiting for up to 10 minutes" in said) or (
                second.returncode == 2 and LOST in said  # in the middle of a write
            ), said
            if second.returncode:
                with started(*search, cwd=folder) as third:
                    said, _ = third.communicate(timeout=120)
                assert third.returncode == 0, said
            wait_until_shown(port, 32)
            dashboard.send_signal(signal.SIGINT)
            try:
                shown, _ = dashboard.communicate(timeout=30)
            except subprocess.TimeoutExpired:  # Python ignores an exception that is raised while it destroys an object
                dashboard.send_signal(signal.SIGINT)
                shown, _ = dashboard.communicate(timeout=30)
        assert f"Dashboard of postgresql://{USER}:***@127.0.0.1" in shown
        assert PASSWORD not in shown
        untouched.communicate(timeout=200)
        assert untouched.returncode == 0
    there, here = trials_of(database), trials_of(alone / "results" / "studies.db")
    for one in (there, here):
        assert sorted(trial.number for trial in one) == list(range(32))
    assert substance_of(there) == substance_of(here)


def substance_of(trials):
    """What must be the same in the same study."""
    return [(trial.params, trial.reported, trial.value, trial.curve, trial.torch_arguments) for trial in trials]


SECRETS = (PASSWORD, quote(PASSWORD, safe=""), PASSWORD.replace(" ", "+"), "s3cret")


def forms(server, database, tmp_path, monkeypatch):
    """The storage as users write it, by how they give the password."""
    bare = f"postgresql://{USER}@127.0.0.1:{server.port}/{database.rpartition('/')[2]}"
    yield "in the URL", database
    yield "as a parameter", f"{bare}?password={quote(PASSWORD, safe='')}"
    with monkeypatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORD)
        yield "PGPASSWORD", bare
    pgpass = tmp_path / "home" / ".pgpass"
    pgpass.parent.mkdir()
    pgpass.write_text(f"127.0.0.1:{server.port}:*:{USER}:{PASSWORD}\n")
    pgpass.chmod(0o600)
    with monkeypatch.context() as patch:
        patch.setenv("HOME", str(pgpass.parent))
        yield "~/.pgpass", bare


def test_every_command_works_and_no_password_is_left(server, database, command, tmp_path, monkeypatch):
    said = []

    def run(*words):
        result = command(*words)
        assert result.code == 0, (words, result.err)
        said.append(result.out + result.err)

    for number, (how, url) in enumerate(forms(server, database, tmp_path, monkeypatch)):
        name = f"study {number}"
        where = ["--study", name, "--storage", url]
        run("search.py", *SMALL, *where)
        assert "***" in said[-1] or how in ("PGPASSWORD", "~/.pgpass")
        run("report.py", *where)
        if number:
            continue
        run("export.py", *where)
        run("reproduce.py", *where, "--trial", 0)
        run("extend.py", *where, "--epochs", 2)
        benchmark = ["--dataset", "digits", "--epochs", 1, "--families", "constant", "rex", "--trials-per-family", 1]
        run("benchmark.py", *benchmark, "--confirm-seeds", 1, "--name", "all", "--engine", "loop", "--storage", url)
        run("report.py", "--study", "all", "--storage", url)
        run("copy_study.py", "--study", name, "--from", url, "--to", "sqlite:///copy.db")
        found = study.find_schedule(dataset="digits", epochs=1, trials=2, storage=url, study="api", progress=False)
        assert len(study.load("api", url).trials) == len(found.trials) == 2
    said.append(server.run("pg_dump", database.rpartition("/")[2]))
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".pgpass"]
    assert any(path.name == "manifest.json" for path in left)
    for text in [*said, *(path.read_bytes().decode(errors="replace") for path in left)]:
        assert not [secret for secret in SECRETS if secret in text]
    assert "postgresql://owner:***@127.0.0.1" in said[-1], "the note names the command"


def test_a_long_study_is_copied_as_it_is(database, storage, workload):
    """Whatever order the server returns rows in."""
    from study.evidence.speed.asking import made_up_trials
    from study.search.configuration import Configuration
    from study.training.workload_objective import WorkloadObjective
    from tests.helpers import open_small

    with open_small(storage, workload) as opened:
        opened.optuna_study.add_trials(made_up_trials(WorkloadObjective(workload), Configuration(), 50))
    copy_study_to(storage, "small", database, "small")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ANALYZE")
    with open_small(storage, workload) as one, open_small(database, workload) as other:
        assert finished(one.optuna_study.get_trials()) == finished(other.optuna_study.get_trials())
        assert one.record.trials == other.record.trials
