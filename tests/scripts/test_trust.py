"""A stranger's database: the command that it names runs only once it is trusted."""

import shlex
import shutil
import sqlite3
import sys
from contextlib import closing

TRAIN = """
import pathlib, sys
pathlib.Path("ran.txt").touch()
print("error", abs(float(sys.argv[1]) - 0.1))
"""
STUDY = ("--study", "theirs", "--storage", "sqlite:///theirs.db")
FLAGS = ("--metric", "error", "--metric-pattern", r"error (\S+)", "--peak-lr", 0.01, 1, "--epochs", 2)
SEARCH = ("--families", "constant", "--trials", 2, "--reference", "none", "--confirm-seeds", 0)


def test_a_command_of_a_stranger_is_shown_and_runs_only_if_it_is_trusted(command, tmp_path, monkeypatch):
    typed = f"{shlex.quote(sys.executable)} train.py {{peak_lr}} {{epochs}} {{seed}}"
    (tmp_path / "train.py").write_text(TRAIN)
    done = command("search.py", "--command", typed, *FLAGS, *SEARCH, *STUDY)
    assert done.code == 0, done.err
    assert command("reproduce.py", *STUDY, "--trial", 0).code == 0  # where it was typed
    there = tmp_path / "elsewhere"
    there.mkdir()
    shutil.copy("train.py", there)
    with closing(sqlite3.connect("theirs.db")) as connection:
        connection.execute("VACUUM INTO 'elsewhere/theirs.db'")
    monkeypatch.chdir(there)
    for words in (("reproduce.py", *STUDY, "--trial", 0), ("extend.py", *STUDY, "--epochs", 4)):
        refused = command(*words)
        assert refused.code == 2
        assert "names code that was not typed in this folder: if it may run, add --trust" in refused.err
        assert refused.err.endswith(f"\n  --command {typed!r}\n")
        assert not (there / "ran.txt").exists()
    trusted = command("reproduce.py", *STUDY, "--trial", 0, "--trust")
    assert trusted.code == 0, trusted.err
    assert (there / "ran.txt").exists()
