"""docs/team-store.md: its commands in order, on a server of its own, and its messages, which are those of the code."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from study.evidence.private_server import PrivateServer, postgresql_programs
from tests.helpers import ROOT
from tests.pages import fenced, lines, table

PAGE = (ROOT / "docs" / "team-store.md").read_text()
HOST = "db.example.com"
ELSEWHERE = {
    "does not exist": "PostgreSQL",
    "password authentication failed": "PostgreSQL",
    "no password supplied": "PostgreSQL",
    "Connection refused": "the operating system",
    "failed to resolve host": "psycopg",
}
"""Parts of messages that are not ours."""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_its_commands_in_order(command, tmp_path, monkeypatch):
    if postgresql_programs() is None or shutil.which("pg_dump") is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="needs the extra postgresql")
    [sql] = [text for language, text in fenced(PAGE) if language == "sql"]
    [pgpass] = [text for language, text in fenced(PAGE) if not language]
    with PrivateServer(["fsync=off"]) as server:
        for statement in filter(None, map(str.strip, sql.split(";"))):
            server.run("psql", "-c", statement, "postgres")
        server.run("psql", "-c", "ALTER ROLE team CREATEDB", "postgres")
        home = tmp_path / "home"
        home.mkdir()
        (home / ".pgpass").write_text(pgpass.replace(HOST, "127.0.0.1").replace("5432", str(server.port)))
        (home / ".pgpass").chmod(0o600)
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("PGPORT", str(server.port))
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        said = ""
        for line in lines(PAGE):
            if line.startswith("pip "):
                continue  # .ci/run installs these extras
            local = line.replace(HOST, "127.0.0.1").replace("/mnt/team", str(tmp_path / "team"))
            program, *arguments = shlex.split(local)
            if program == "python":
                result = command(arguments[0].removeprefix("scripts/"), *arguments[1:])
                assert result.code == 0, (line, result.err)
                said += result.out
            else:
                said += subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
        assert "choose-one" not in said
    assert "Copied study 'bob-digits': 6 trials" in said
    assert list((tmp_path / "team" / "artifacts").iterdir())


def test_its_table_is_that_which_was_printed():
    measured = (ROOT / "results" / "speed" / "storages.md").read_text()
    assert table(PAGE, "trials in the study") == table(measured, "trials in the study")


def test_its_messages_are_those_of_the_code():
    sources = "".join(path.read_text() for path in sorted((ROOT / "study" / "storage").glob("*.py")))
    rows = re.findall(r"^\| (`.*`) \|", PAGE, re.MULTILINE)
    assert len(rows) >= 15
    parts = [part for row in rows for quoted in re.findall(r"`([^`]+)`", row) for part in quoted.split(" ... ")]
    parts = [re.sub(r'database "\w+" | process 123 on HOST$', "", part) for part in parts]
    for part in parts:
        assert part in sources or part in ELSEWHERE, part
