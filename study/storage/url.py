"""Storage URLs and the files beside an SQLite database; no other module makes these names."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import InputError, require, words_of
from study.storage.opening import PATIENCE, FailedStorageError, readable, why_unusable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

DEFAULT_STORAGE = "sqlite:///results/studies.db"
POSTGRESQL = "postgresql+psycopg"
"""How SQLAlchemy names the server and its driver; its versions have different drivers for postgresql://."""
FIRST_TABLE = "studies"
"""Optuna makes it before all others, so a database that was cut off while it was made has it."""


def storage_url(storage: str | Path | None) -> str | None:
    """The database URL of a file, or the URL itself; None stands for a study in memory.

    >>> storage_url("studies.db"), storage_url("postgresql://host/db"), storage_url(None)
    ('sqlite:///studies.db', 'postgresql://host/db', None)
    """
    if storage is None or "://" in str(storage):
        return storage if storage is None else str(storage)
    require(not set(str(storage)) & set("?#%"), "the name of a storage file must not contain ?, # or %", str(storage))
    return f"sqlite:///{storage}"


def parse(storage: str) -> URL:
    """The parsed URL; raises InputError if it does not name an SQLite file or a PostgreSQL database."""
    from sqlalchemy.engine import make_url  # takes longer to load than --help may take
    from sqlalchemy.exc import ArgumentError

    example = f"give --storage a database URL such as {DEFAULT_STORAGE}"
    shown_storage = without_passwords(storage)
    try:
        url = make_url(re.sub(r"^postgres(ql)?://", f"{POSTGRESQL}://", storage))
    except (ArgumentError, ValueError) as error:
        raise InputError(f"{shown_storage!r} is not a database URL: {example}") from error
    if is_server(url):
        check_server_url(url, storage, shown_storage)
        return url
    in_memory = url.database in (None, "", ":memory:", "file::memory:") or url.query.get("mode") == "memory"
    if not in_memory and "?" in storage and not url.query:
        raise InputError(f"the name of a storage file must not contain ?, but {storage!r} was given")
    if in_memory:
        raise InputError(f"{storage!r} does not persist: {example}")
    if url.get_backend_name() == "sqlite":
        for name in (url.database, f"{url.database}.artifacts"):
            try:
                os.stat(str(name))
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                pass  # reported when the file is opened
            except (OSError, ValueError) as error:  # too long, links in a circle, a zero byte
                raise InputError(f"--storage does not name a file ({words_of(error)})") from error
    return url


def check_server_url(url: URL, storage: str, shown_storage: str) -> None:
    """Raise InputError unless it is one of PostgreSQL, by psycopg."""
    if url.drivername != POSTGRESQL:
        both = f"{DEFAULT_STORAGE} or postgresql://HOST/DATABASE"
        raise InputError(
            f"{shown_storage!r} cannot keep studies, only SQLite and PostgreSQL can: give --storage {both}"
        )
    if "@" in (url.host or "") or (url.password and storage.count("@") > 1):
        raise InputError(f"the password in {shown_storage!r} contains @: write %40 for it, or put it into ~/.pgpass")


def is_server(url: URL) -> bool:
    """Whether the database is on a server; otherwise it is an SQLite file."""
    return url.get_backend_name() != "sqlite"


def is_same_database(one: URL, other: URL) -> bool:
    """Whether two URLs name the same file, or the same database of a server."""
    if is_server(one) or is_server(other):
        return (one.host, one.port or 5432, one.database) == (other.host, other.port or 5432, other.database)
    paths = Path(one.database or ""), Path(other.database or "")
    return paths[0].resolve() == paths[1].resolve() or (all(map(Path.exists, paths)) and paths[0].samefile(paths[1]))


def check_file(url: URL) -> None:
    """Raise InputError if an SQLite file exists but does not hold Optuna studies; nothing is written."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} of the storage does not exist: mkdir -p {path.parent}")
    if path.is_dir():
        raise InputError(
            f"the storage {path} is a folder, not a file: name a file in it, such as {path / 'studies.db'}"
        )
    if not path.exists() or path.stat().st_size == 0:
        return
    mode = "mode=rw" if readable(url) is url else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=PATIENCE)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            health = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if why := why_unusable(path, error):
            raise FailedStorageError(f"the database {path} cannot be opened: {why}") from error
        raise InputError(
            f"{path} is not an SQLite database, or is damaged ({words_of(error)}): choose another with --storage"
        ) from error
    if health != "ok":
        health = " ".join(str(health).replace("*", "").split())
        raise InputError(f"the database {path} is damaged ({health}): restore a copy, or choose another with --storage")
    if tables and FIRST_TABLE not in tables:
        raise InputError(
            f"{path} is the database of another program (it holds {', '.join(sorted(tables)[:3])}, no studies): "
            "choose another with --storage"
        )


def make_folder(folder: Path) -> None:
    """Make the folder if it does not exist; raises InputError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}. Choose another") from error


def lock_folder(url: URL) -> Path:
    """The folder of the locks, beside an SQLite file."""
    return Path(f"{Path(url.database or '').resolve()}.locks")


def artifact_folder(storage: str) -> Path:
    """The folder of the trials' artifacts: beside an SQLite file, or in results/ for a database server."""
    url = parse(storage)
    if url.get_backend_name() == "sqlite":
        return Path(f"{url.database}.artifacts")
    return Path("results") / f"{server_name(url)}.artifacts"


def study_folder(storage: str, name: str) -> Path:
    """Where files about a study are kept: beside an SQLite file, or in results/ for a server.

    >>> study_folder("sqlite:///results/studies.db", "my-study").as_posix()
    'results/my-study'
    """
    url = parse(storage)
    beside = Path(url.database or "").parent if url.get_backend_name() == "sqlite" else Path("results")
    return beside / folder_name(name)


def folder_name(study: str) -> str:
    """The name of a study as that of a folder; another study has another one.

    >>> folder_name("my_study"), folder_name("my/study"), folder_name("..")
    ('my_study', 'my_study-29b5e0', '_.-5ec1f7')
    """
    safe = re.sub(r"[^\w.-]|^\.", "_", study)
    return safe if safe == study else f"{safe}-{hashlib.sha256(study.encode()).hexdigest()[:6]}"


def runs_folder(storage: str, study: str) -> Path:
    """Where the runs of a study's command have their folders."""
    return study_folder(storage, study) / "runs"


def server_name(url: URL) -> str:
    """A database on a server as part of a file name."""
    return re.sub(r"\W", "_", f"{url.host or 'localhost'}_{url.database}")


def shown_url(storage: str) -> str:
    """The URL without its passwords.

    >>> shown_url("postgresql://me:secret@host/db")
    'postgresql://me:***@host/db'
    """
    return rendered(parse(storage))


def rendered(url: URL) -> str:
    """A parsed URL, as it is shown: without passwords, and without the driver."""
    return without_passwords(url.set(drivername=url.get_backend_name()).render_as_string())


def optuna_url(url: URL) -> str:
    """The same with the driver, as Optuna's own commands need it."""
    return without_passwords(url.render_as_string())


def without_passwords(text: str) -> str:
    """A message, or a word of a command line, with the passwords in its URLs replaced.

    >>> without_passwords("postgresql://me:secret@host/db"), without_passwords("host=h password=secret user=me")
    ('postgresql://me:***@host/db', 'host=h password=*** user=me')
    >>> without_passwords("--storage=postgresql://me:my p@ss@host/db?sslpassword=secret&sslmode=require")
    '--storage=postgresql://me:***@host/db?sslpassword=***&sslmode=require'
    """
    text = re.sub(r"^((?:--[\w-]+=)?[\w+]+://[^:/@\s]*:).*@", r"\1***@", text, flags=re.DOTALL)  # whatever is in it
    text = re.sub(r"(\w://[^:/@\s]*:)\S*@", r"\1***@", text)
    return re.sub(r"(password\s*=\s*)('[^']*'|[^&\s]+)", r"\1***", text, flags=re.IGNORECASE)


def storage_flag(storage: str) -> str:
    """The flag that names the storage, with a space before it; empty for the default storage.

    >>> storage_flag("postgresql://me:secret@host/db")
    " --storage 'postgresql://me:***@host/db'"
    """
    return "" if storage == DEFAULT_STORAGE else f" --storage {shlex.quote(shown_url(storage))}"


def dashboard_command(storage: str) -> str:
    """The command that serves the dashboard of a storage."""
    return f"python scripts/dashboard.py{storage_flag(storage)}"
