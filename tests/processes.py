"""The progress of a search in another process, read from its database."""

import sqlite3
import time
from contextlib import closing

ARGUMENTS = ["--dataset", "digits", "--epochs", 4, "--rung-fractions", 0.25, "--least-steps", 1, "--study", "killed"]


def ask(folder, query):
    """The number that the database answers with; 0 if there is no database yet."""
    path = folder / "results" / "studies.db"
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            return connection.execute(query).fetchone()[0] or 0
    except sqlite3.OperationalError:
        return 0


def starts(folder):
    """How often the study was started."""
    return ask(folder, "SELECT max(json_array_length(value_json)) FROM study_user_attributes WHERE key = 'sessions'")


def wait_until_training(process, folder, done, start):
    """Wait until the search is in its start of this number and has this many finished trials, or until it ends."""
    deadline = time.monotonic() + 120
    while process.poll() is None:
        if starts(folder) >= start and ask(folder, "SELECT count(*) FROM trials") >= done:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)
