"""A PostgreSQL server of our own, for measurements and tests: on a free port, in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from search_spaces.errors import InputError

USER, PASSWORD = "owner", "s3cret-p/w d"
"""Who owns the databases; the password has characters that a URL must escape."""
DEBIAN = "/usr/lib/postgresql/*/bin"
START_WITHIN = 60.0
"""Seconds."""


def postgresql_programs() -> Path | None:
    """The folder of PostgreSQL's programs; None if it is not installed, or root has no user postgres to run it."""
    if os.geteuid() == 0 and "postgres" not in (user.pw_name for user in pwd.getpwall()):
        return None
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/").glob(DEBIAN[1:]))
    return folders[-1] if folders else None


class PrivateServer:
    """A context in which the server runs, with scram passwords; raises InputError if PostgreSQL is not installed.

    settings: of the server, such as fsync=off, which loses data only if the machine fails. As root, it runs as the user
    postgres, because PostgreSQL refuses root.
    """

    def __init__(self, settings: Sequence[str] = ()) -> None:
        programs = postgresql_programs()
        if programs is None:
            raise InputError("PostgreSQL is not installed: apt-get install postgresql")
        self.programs, self.settings = programs, settings
        self.process: subprocess.Popen[Any] | None = None

    def __enter__(self) -> PrivateServer:
        self.folder = Path(tempfile.mkdtemp(prefix="private-postgresql-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            shutil.chown(password, "postgres", "postgres")
        made = [f"--pgdata={self.folder / 'data'}", f"--username={USER}", f"--pwfile={password}"]
        made += ["--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run([self.programs / "initdb", *made], check=True, capture_output=True, **self.as_user())
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def as_user(self) -> dict[str, Any]:
        """Arguments of subprocess: an unprivileged user."""
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        return {"cwd": "/", **user}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        flags = [part for one in [*settings, *self.settings] for part in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            command = [f"{self.programs}/postgres", "-D", f"{self.folder}/data", *flags]
            self.process = process = subprocess.Popen(command, stdout=log, stderr=log, **self.as_user())
        deadline = time.monotonic() + START_WITHIN
        ready = [f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise InputError(f"the server did not start: {(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: by SIGINT, it ends its connections; by SIGQUIT, it stops as if the machine had failed."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        """The URL of a database, with the password."""
        escaped = password.replace("/", "%2F").replace(" ", "%20")
        return f"postgresql://{user}:{escaped}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Create a database; returns its URL."""
        self.run("psql", "-c", f'CREATE DATABASE "{database}"', "postgres")
        return self.url(database)

    def run(self, program: str, *arguments: str, **options: Any) -> str:
        """Run one of PostgreSQL's programs with this server as its default; returns what it printed."""
        options = {"env": {**os.environ, **self.variables}, **options}
        ended = subprocess.run([self.programs / program, *arguments], capture_output=True, check=False, **options)
        if ended.returncode:
            raise InputError(f"{program} failed: {ended.stderr.decode()}")
        return str(ended.stdout.decode())

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables by which PostgreSQL's programs find this server."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGPASSWORD": PASSWORD}
