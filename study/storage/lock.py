"""One process at a time: a lock that is released when the process ends, however it ends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from search_spaces.errors import InputError


@contextmanager
def owned(folder: Path, name: str) -> Iterator[None]:
    """Own the study of this name until the context ends; raises InputError, naming the owner, if another process does.

    folder: of the lock files; made if it is missing.
    """
    path = folder / f"{sha256(name.encode()).hexdigest()[:16]}.lock"
    owner = path.with_suffix(".owner")
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(path).acquire(blocking=False)
    except Timeout as error:
        who = owner.read_text() if owner.exists() else "another process"
        raise InputError(f"study {name!r} is being searched by {who}: wait for it, or stop it") from error
    except OSError as error:
        raise InputError(f"cannot write to {folder.parent} ({error.strerror}): check --storage") from error
    with lock:
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}")
        yield
