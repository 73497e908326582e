"""Every reader takes random input or refuses it in one message: any other exception, or a warning, is a fault.

`pytest -m slow tests/fuzz --fuzz-seconds 600 --fuzz-seed 1` looks longer and elsewhere.
"""

import shutil
import time
from functools import partial
from random import Random

import pytest
import torch

from search_spaces import SGD_PEAK_LR, InputError
from search_spaces.space_file import read_space, space_toml
from study.search.configuration import Configuration
from study.search.enqueue import read_known
from study.workloads.datasets import Source
from tests.fuzz import inputs

LONGEST_MESSAGE = 3000


def written(make, name):
    """Writes a file of this name, and returns its path."""

    def write(random, folder):
        path = folder / name
        path.write_bytes(make(random))
        return path

    return write


def images(random, folder):
    inputs.draw_folder(random, folder / "images")
    return folder / "images"


def read_toml(random, path):
    found = read_space(str(path))
    path.write_text(space_toml(found.families, SGD_PEAK_LR, found.ranges))
    assert read_space(str(path)).families == found.families, "what was read is written and read again"


def read_json(random, path):
    read_known([str(path)], None, partial(Configuration().suggest, peak_lr=SGD_PEAK_LR))


def read_data(random, path):
    task = random.choice([None, None, "classification", "regression"]) if path.is_file() else None
    target = "y" if path.suffix == ".csv" else None
    size = random.choice([None, 4]) if path.is_dir() else None
    data = Source(str(path), target=target, task=task, image_size=size).read(None, 0)
    assert len(data.fingerprint()) == 64
    x, y = data.train.first(data.train.rows)
    assert torch.isfinite(x).all()
    assert len(x) == len(y) == data.train.rows > 0
    assert data.about.isprintable() or "\x1b" not in data.about


READERS = {
    "toml": (written(inputs.toml, "space.toml"), read_toml),
    "json": (written(inputs.schedule_json, "schedule.json"), read_json),
    "csv": (written(inputs.csv, "table.csv"), read_data),
    "npz": (written(inputs.npz, "arrays.npz"), read_data),
    "images": (images, read_data),
}


@pytest.mark.slow
@pytest.mark.timeout(0)  # --fuzz-seconds says how long
@pytest.mark.parametrize("reader", READERS)
def test_random_input_is_taken_or_refused_in_one_message(reader, tmp_path, request):
    write, read = READERS[reader]
    seconds = request.config.getoption("--fuzz-seconds") / len(READERS)
    seed = request.config.getoption("--fuzz-seed")
    end, number, taken = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        number += 1
        random, folder = Random(f"{reader} {seed} {number}"), tmp_path / str(number)
        folder.mkdir()
        path = write(random, folder)
        try:
            read(random, path)
            taken += 1
        except Exception as error:
            refused = isinstance(error, InputError) and "\n" not in str(error) and len(str(error)) <= LONGEST_MESSAGE
            if not refused:
                what = f"{type(error).__name__}: {error}"[:300]
                raise AssertionError(f"case {number} of seed {seed}, {path}: {what}") from error
        shutil.rmtree(folder)
    assert 0 < taken < number, "both kinds of input are tried"
