"""Files are written all or none: a full disk and a kill leave the older ones as they were."""

import errno
import os
import signal

import pytest

from search_spaces import InputError
from study.storage.whole_files import write_whole

OLD = {"a.csv": b"old a", "report.md": b"old report"}
NEW = {"a.csv": b"new a", "figure.svg": b"new figure", "report.md": b"new report"}


def held(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.endswith(".partial")}


def test_they_are_written(tmp_path):
    write_whole(tmp_path / "new", OLD)
    write_whole(tmp_path / "new", NEW)
    assert held(tmp_path / "new") == NEW
    assert len(list((tmp_path / "new").iterdir())) == len(NEW)


@pytest.mark.parametrize("full_at", range(len(NEW)))
def test_a_full_disk_leaves_the_older_ones(full_at, tmp_path, monkeypatch):
    write_whole(tmp_path, OLD)
    written = []

    def full(number):
        written.append(number)
        if len(written) > full_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_whole(tmp_path, NEW)
    assert raised.value.filename == str(tmp_path), "which the message of every command names"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == OLD, "nothing half-written is left"


@pytest.mark.parametrize("killed_at", range(len(NEW)))
def test_a_kill_leaves_the_older_ones_until_all_are_written(killed_at, tmp_path):
    write_whole(tmp_path, OLD)
    child = os.fork()
    if not child:
        written = []

        def killed(number):
            written.append(number)
            if len(written) > killed_at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            os.fsync = killed
            write_whole(tmp_path, NEW)
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert held(tmp_path) == OLD
    write_whole(tmp_path, NEW)
    assert held(tmp_path) == NEW
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    write_whole(tmp_path, NEW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == NEW, "what the kill left is gone"


def test_two_processes_may_write_at_the_same_time(tmp_path, monkeypatch):
    """The second one writes all of its files while the first one has written some."""
    synchronize = os.fsync

    def other(number):
        monkeypatch.setattr(os, "fsync", synchronize)
        write_whole(tmp_path, OLD)

    monkeypatch.setattr(os, "fsync", other)
    write_whole(tmp_path, NEW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == NEW


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write to .*file \(File exists\): name a folder"):
        write_whole(tmp_path / "file", NEW)
