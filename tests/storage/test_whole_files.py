"""Files are written all or none: a full disk and a kill leave the older ones as they were."""

import errno
import os
import signal

import pytest

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
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path, NEW)
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

        os.fsync = killed
        write_whole(tmp_path, NEW)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert held(tmp_path) == OLD
    write_whole(tmp_path, NEW)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == NEW, "what the kill left is gone"
