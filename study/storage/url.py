"""Where studies are stored, and the files beside them; the only owner of storage URLs and file names."""

from __future__ import annotations

import re
import shlex
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import InputError, require

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

DEFAULT_STORAGE = "sqlite:///results/studies.db"
OPTUNA_TABLES = {"studies", "trials", "version_info"}


def storage_url(storage: str | Path | None) -> str | None:
    """The database URL of a file, or the URL itself; None is a study in memory.

    >>> storage_url("studies.db"), storage_url("postgresql://host/db"), storage_url(None)
    ('sqlite:///studies.db', 'postgresql://host/db', None)
    """
    if storage is None or "://" in str(storage):
        return storage if storage is None else str(storage)
    require(not set(str(storage)) & set("?#%"), "the name of a storage file must be without ?, # and %", str(storage))
    return f"sqlite:///{storage}"


def parse(storage: str) -> URL:
    """The parsed URL; raises InputError if it is not a URL, or names no file."""
    from sqlalchemy.engine import make_url  # takes longer to load than --help may take
    from sqlalchemy.exc import ArgumentError

    example = f"give --storage a database URL such as {DEFAULT_STORAGE}"
    try:
        url = make_url(storage)
    except ArgumentError as error:
        raise InputError(f"{storage!r} is not a database URL: {example}") from error
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise InputError(f"{storage!r} does not persist: {example}")
    return url


def check_file(url: URL) -> None:
    """Raise InputError, writing nothing, where an SQLite file is there but is not one that holds Optuna studies."""
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
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=60)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            health = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise InputError(
            f"{path} is not an SQLite database, or is damaged ({error}): choose another with --storage"
        ) from error
    if health != "ok":
        raise InputError(f"the database {path} is damaged ({health}): restore a copy, or choose another with --storage")
    if tables and not tables >= OPTUNA_TABLES:
        raise InputError(
            f"{path} is the database of another program (it holds {', '.join(sorted(tables)[:3])}, no studies): "
            "choose another with --storage"
        )


def make_folder(folder: Path) -> None:
    """Make it where it is not there; raises InputError if that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}. Give another one") from error


def lock_folder(url: URL) -> Path:
    """Where locks are kept: beside an SQLite file, whatever it is called, or in the temporary folder for a server."""
    if url.get_backend_name() == "sqlite":
        return Path(f"{Path(url.database or '').resolve()}.locks")
    return Path(tempfile.gettempdir()) / f"{server_name(url)}.locks"


def artifact_folder(storage: str) -> Path:
    """Where the artifacts of the trials are kept: beside an SQLite file, or in results/ for a server."""
    url = parse(storage)
    if url.get_backend_name() == "sqlite":
        return Path(f"{url.database}.artifacts")
    return Path("results") / f"{server_name(url)}.artifacts"


def runs_folder(storage: str | None, study: str) -> Path:
    """Where the runs of a study's commands have their folders: beside the artifacts; without a storage a new folder."""
    if storage is None:
        return Path(tempfile.mkdtemp(prefix="study-runs-"))
    beside = artifact_folder(storage)
    return beside.with_name(f"{beside.name.removesuffix('.artifacts')}.runs") / re.sub(r"[^\w.-]", "_", study)


def server_name(url: URL) -> str:
    """A database of a server, as a part of a file name."""
    return re.sub(r"\W", "_", f"{url.host}_{url.database}")


def shown_url(storage: str) -> str:
    """The URL without its password.

    >>> shown_url("postgresql://me:secret@host/db")
    'postgresql://me:***@host/db'
    """
    return parse(storage).render_as_string()


def without_passwords(command: str) -> str:
    """A command line without the passwords of the URLs in it.

    >>> without_passwords("search.py --storage postgresql://me:secret@host/db --trials 5")
    'search.py --storage postgresql://me:***@host/db --trials 5'
    """
    return re.sub(r"(://[^:/@\s]*:)[^@\s]*@", r"\1***@", command)


def storage_flag(storage: str) -> str:
    """What a command of this project needs to find the storage, a space before it; nothing for the default.

    >>> storage_flag("postgresql://me:secret@host/db")
    " --storage 'postgresql://me:***@host/db'"
    """
    return "" if storage == DEFAULT_STORAGE else f" --storage {shlex.quote(shown_url(storage))}"


def dashboard_command(storage: str) -> str:
    """What to type to browse the studies."""
    return f"python scripts/dashboard.py{storage_flag(storage)}"
