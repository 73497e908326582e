"""Files of arrays: images with colours last, damage, and claims that do not fit into memory."""

import io
import struct
import zipfile

import numpy as np
import pytest

from search_spaces import InputError
from tests.helpers import read

X, Y = np.random.default_rng(0).random((100, 8, 8, 3)), np.arange(100) % 2


def test_images_with_colours_last_are_turned_and_named(tmp_path):
    np.savez(tmp_path / "last.npz", x=X, y=Y)
    np.savez(tmp_path / "first.npz", x=np.moveaxis(X, 3, 1), y=Y)
    last, first = read(tmp_path / "last.npz"), read(tmp_path / "first.npz")
    assert last.fingerprint() == first.fingerprint()
    assert "x of shape (8, 8, 3) read as height, width and colours" in last.about


def test_labels_that_are_python_objects_say_what_to_do(tmp_path):
    np.savez(tmp_path / "objects.npz", x=X, y=np.array(["a", "b"], dtype=object)[Y])
    with pytest.raises(InputError, match=r"convert arrays of Python objects with .astype\(str\) or a number type"):
        read(tmp_path / "objects.npz")


def claiming(shape):
    """A file of one array whose header claims this shape."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 64
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("x.npy", array)
    return packed.getvalue()


def test_a_header_that_claims_more_than_the_file_holds_is_refused_before_memory_is_taken(tmp_path):
    (tmp_path / "huge.npz").write_bytes(claiming((10**13,)))
    with pytest.raises(InputError, match=r"x.npy claims 80000000000000 bytes and has \d+"):
        read(tmp_path / "huge.npz")


def test_arrays_beyond_the_free_memory_are_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros((1000, 100)), y=np.arange(1000) % 2)
    monkeypatch.setattr("study.workloads.npz.COPIES", 10**9)
    with pytest.raises(InputError, match=r"bomb.npz needs about \d+\.\d GB of memory, but \d+\.\d GB are free"):
        read(tmp_path / "bomb.npz")


@pytest.mark.parametrize("cut", [0, 1, 30, 60, 200, 1000])
def test_a_file_that_is_cut_is_refused(tmp_path, cut):
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:cut])
    with pytest.raises(InputError, match="cut.npz cannot be read"):
        read(tmp_path / "cut.npz")


def test_a_member_that_is_encrypted_or_packed_in_an_unknown_way_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    whole = bytearray((tmp_path / "whole.npz").read_bytes())
    central = whole.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 99)):  # encrypted; the method of compression
        damaged = bytearray(whole)
        damaged[central + offset] = value
        damaged[offset - 2] = value
        (tmp_path / "damaged.npz").write_bytes(damaged)
        with pytest.raises(InputError, match="damaged.npz cannot be read"):
            read(tmp_path / "damaged.npz")


def test_a_file_that_python_quotes_whole_is_refused_in_one_printable_line(tmp_path):
    np.savez(tmp_path / "whole.npz", x=X, y=Y)
    damaged = bytearray((tmp_path / "whole.npz").read_bytes())
    damaged[26:28] = (60_000).to_bytes(2, "little")  # the length of the first member's name
    (tmp_path / "named.npz").write_bytes(damaged + bytes(60_000))
    with zipfile.ZipFile(tmp_path / "named.npz") as file, pytest.raises(zipfile.BadZipFile) as quoted:
        file.read("x.npy")
    assert len(str(quoted.value)) > 60_000
    with pytest.raises(InputError, match=r"named.npz cannot be read \(File name .*\.\.\..*\): save it with") as told:
        read(tmp_path / "named.npz")
    assert len(str(told.value)) < 1000
    assert str(told.value).isprintable()
