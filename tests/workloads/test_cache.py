"""Made data that is kept: the same bits, whatever happened to the file."""

import threading

import numpy as np
import pytest

from study.workloads.cache import kept_or_made

ARRAYS = {"x": np.arange(12.0).reshape(3, 4) / 7, "y": np.array([2, 0, 1])}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "arrays.cache"


class Maker:
    """Makes ARRAYS, and counts how often."""

    calls = 0

    def __call__(self):
        self.calls += 1
        return {name: array.copy() for name, array in ARRAYS.items()}


def assert_whole(found):
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in found.items()} == {
        name: (array.dtype, array.shape, array.tobytes()) for name, array in ARRAYS.items()
    }


def test_what_was_made_is_found_again(path):
    make = Maker()
    for _ in range(3):
        assert_whole(kept_or_made(path, "numpy 1", make))
    assert make.calls == 1
    assert [file.name for file in path.parent.iterdir()] == ["arrays.cache"]


def test_what_was_made_with_something_else_is_made_anew(path):
    kept_or_made(path, "numpy 1", lambda: {"x": np.zeros(2)})
    make = Maker()
    assert_whole(kept_or_made(path, "numpy 2", make))
    assert_whole(kept_or_made(path, "numpy 2", make))
    assert make.calls == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"something else",
        lambda content: content[:-1],
        lambda content: content + b"\n",
        lambda content: content[: len(content) // 2],
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content.partition(b"\n")[2],
    ],
    ids=[
        "empty",
        "foreign",
        "cut",
        "longer",
        "half",
        "a bit of an array",
        "a bit of the fingerprint",
        "no fingerprint",
    ],
)
def test_a_file_that_is_damaged_or_foreign_is_replaced(damage, path):
    make = Maker()
    kept_or_made(path, "numpy 1", make)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert_whole(kept_or_made(path, "numpy 1", make))
    assert make.calls == 2
    assert path.read_bytes() == whole


@pytest.mark.parametrize("obstacle", ["a file", "a folder", "no space", "read-only"])
def test_a_folder_that_cannot_be_written_stops_nothing(obstacle, path, monkeypatch):
    if obstacle == "a file":
        path.parent.write_text("where the folder should be")
    elif obstacle == "a folder":
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()

        def refuse(*arguments):
            raise OSError(obstacle)

        # a test that runs as root is refused nothing
        monkeypatch.setattr("os.replace" if obstacle == "no space" else "pathlib.Path.write_bytes", refuse)
    make = Maker()
    for _ in range(2):
        assert_whole(kept_or_made(path, "numpy 1", make))
    assert make.calls == 2
    if path.parent.is_dir():
        assert [file for file in path.parent.iterdir() if file != path] == [], "nothing is left half written"


def test_a_write_that_is_cut_off_leaves_the_old_file(path, monkeypatch):
    """As by Ctrl-C."""
    kept_or_made(path, "numpy 1", Maker())
    whole = path.read_bytes()

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kept_or_made(path, "numpy 2", Maker())
    assert path.read_bytes() == whole
    assert [file.name for file in path.parent.iterdir()] == ["arrays.cache"]


def test_many_may_write_and_read_at_the_same_time(path):
    """Two versions fight for the file: everyone gets what is theirs, and nobody reads half a file."""
    rows = {"numpy 1": np.arange(50_000), "numpy 2": np.arange(60_000)}
    together, wrong = threading.Barrier(8), []

    def work(number):
        made_with = list(rows)[number % 2]
        together.wait()
        for _ in range(20):
            found = kept_or_made(path, made_with, lambda: {"x": rows[made_with]})
            if not np.array_equal(found["x"], rows[made_with]):
                wrong.append(made_with)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [file.name for file in path.parent.iterdir()] == ["arrays.cache"]
