"""One process at a time: locks that are released when the process ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from search_spaces.errors import InputError
from study.storage.opening import why_unusable

FIRST_BYTE = 2**41
"""SQLite locks bytes of its file too, all before this one; neither needs to exist."""
OPEN: dict[tuple[int, int], int] = {}
"""The files of databases that hold locks of ours, by device and inode. They stay open, one for each database: a process
that closes a file loses SQLite's own locks on it, also those of connections that others in this process have made, such
as a result in a notebook. Another process could then take the log for one that nobody uses."""


@contextmanager
def owned(folder: Path, name: str) -> Iterator[None]:
    """Own the study of this name until the context ends; raises InputError, naming the owner, if another process does.

    folder: of the lock files; made if it is missing.
    """
    path = folder / f"{sha256(name.encode()).hexdigest()[:16]}.lock"
    owner = path.with_suffix(".owner")
    me = f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}"
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(path).acquire(blocking=False)
    except Timeout as error:
        who = owner.read_text(errors="replace") if owner.is_file() else "another process"
        raise InputError(f"study {name!r} is being searched by {who}: wait for it, or stop it") from error
    except OSError as error:
        raise InputError(f"cannot write to {folder.parent} ({error.strerror}): check --storage") from error
    with lock:
        with suppress(OSError):  # it only names the owner
            owner.write_text(me)
        yield


@contextmanager
def owned_in_file(path: Path, name: str) -> Iterator[None]:
    """Own the study of this name in the file of its database itself, however that is reached, until the context ends.

    The lock files of `owned` name the owner, but they can be removed, and a hard link has others. A system without such
    locks has those files alone. Raises InputError if another process owns the study, or the file cannot be opened.
    """
    if not hasattr(fcntl, "F_OFD_SETLK"):  # not Linux
        yield
        return
    status = path.stat()
    key = (status.st_dev, status.st_ino)
    try:
        file = OPEN[key] if key in OPEN else OPEN.setdefault(key, os.open(path, os.O_RDWR))
    except OSError as error:
        why = why_unusable(path, error) or error.strerror
        raise InputError(f"cannot write to the database {path}: {why}. Check --storage") from error
    byte = FIRST_BYTE + int(sha256(name.encode()).hexdigest()[:12], 16)
    try:
        set_lock(file, byte, fcntl.F_WRLCK)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise InputError(
                f"study {name!r} is being searched by another process, whose lock beside the database was removed, or "
                "which knows the database by another path: wait for it, or stop it"
            ) from error
        yield  # such as a network file system without locks
        return
    try:
        yield
    finally:
        set_lock(file, byte, fcntl.F_UNLCK)


def set_lock(file: int, byte: int, kind: int) -> None:
    """Lock or unlock one byte of an open file; raises OSError if another process has locked it."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, byte, 1, 0))
