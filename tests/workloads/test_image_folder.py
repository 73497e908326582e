"""Folders of images: in memory or streamed, with their own parts, and messages for invalid ones."""

import numpy as np
import pytest
from PIL import Image
from torch import nn

import study.workloads.image_folder
from search_spaces import Cosine, InputError
from study.objective import Run
from study.workloads.data import Split
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload
from tests.helpers import read, trainer


def draw_images(folder, classes=("cat", "dog"), number=20, size=(10, 8), mode="RGB"):
    random = np.random.default_rng(len(str(folder.name)))
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(number):
            shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
            Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(folder / name / f"{i}.png")


def test_a_folder_of_images(tmp_path):
    draw_images(tmp_path / "pets")
    data = read(tmp_path / "pets")
    assert (data.input_shape, data.classes, data.resident) == ((3, 8, 10), 2, True)
    assert (data.train.rows, data.validation.rows, data.test.rows) == (28, 6, 6)
    assert data.train.x.mean((0, 2, 3)).abs().max() < 1e-5
    assert "10 x 8 pixels; kept in memory (0 MB, at most 25% of free memory)" in data.about
    assert read(tmp_path / "pets", image_size=4).input_shape == (3, 4, 4)
    draw_images(tmp_path / "grey", mode="L")
    assert read(tmp_path / "grey").input_shape == (1, 8, 10)


def test_the_parts_of_a_folder_are_respected(tmp_path):
    draw_images(tmp_path / "train")
    draw_images(tmp_path / "test", classes=["dog"], number=4, size=(12, 12))
    (tmp_path / "test/cat").mkdir()
    draw_images(tmp_path / "val/extra", classes=["x"])
    with pytest.raises(InputError, match="val: the classes must be among those of .*train, but 'extra' was given"):
        read(tmp_path)
    (tmp_path / "val").rename(tmp_path / "other")
    with pytest.raises(InputError, match="test must contain images of at least two classes, but .'dog'. was given"):
        read(tmp_path)
    draw_images(tmp_path / "test/more", classes=["y"], number=1)
    (tmp_path / "test/more/y/0.png").rename(tmp_path / "test/cat/0.png")
    (tmp_path / "test/more/y").rmdir()
    (tmp_path / "test/more").rmdir()
    data = read(tmp_path)
    assert (data.train.rows, data.validation.rows, data.test.rows) == (34, 6, 5)
    assert data.test.y.tolist() == [0, 1, 1, 1, 1], "numbered as in the training images"
    assert data.input_shape == (3, 64, 64)
    assert "resized to 64 x 64 pixels because their sizes differ; override with --image-size" in data.about


def test_images_that_do_not_fit_into_memory_train_the_same(tmp_path, monkeypatch):
    draw_images(tmp_path / "pets", number=30)
    resident = read(tmp_path / "pets")
    monkeypatch.setattr(study.workloads.image_folder, "MEMORY_SHARE", 0.0)
    lazy = read(tmp_path / "pets")
    assert isinstance(resident.train, Split)
    assert isinstance(lazy.train, StreamedSplit)
    assert "read when needed, by worker processes (0 MB, more than 0% of free memory)" in lazy.about
    assert lazy.fingerprint() == read(tmp_path / "pets").fingerprint()
    run = Run(Cosine(peak_lr=0.01), 2, 0, evaluations=2)

    def make_model():
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))

    found = [list(trainer(Workload("w", data, make_model, batch_size=8)).train([run])) for data in (resident, lazy)]
    assert found[0] == found[1]


def test_images_that_cannot_be_read_are_told(tmp_path, monkeypatch):
    draw_images(tmp_path / "pets")
    whole = (tmp_path / "pets/cat/3.png").read_bytes()
    (tmp_path / "pets/cat/3.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1 of 40 images cannot be read, such as .*cat/3.png: remove them"):
        read(tmp_path / "pets")
    (tmp_path / "pets/cat/3.png").write_bytes(whole[: len(whole) // 2])  # its head is there
    with pytest.raises(InputError, match=r"^image .*cat/3.png cannot be read \(.*\): replace or remove it") as told:
        read(tmp_path / "pets")
    assert "\n" not in str(told.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty must contain one subfolder of images per class"):
        read(tmp_path / "empty")
