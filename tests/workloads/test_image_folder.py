"""Folders of images: in memory or streamed, with their own parts, and messages for invalid ones."""

import struct
import zlib

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
    assert "classes: cat, dog" in data.about
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


def test_a_class_that_is_called_like_a_part_is_named(tmp_path):
    draw_images(tmp_path / "veh", classes=["train", "bus"])
    said = "veh/train was taken for the train part of the data because of its name, .* a class like bus, rename it"
    with pytest.raises(InputError, match=said):
        read(tmp_path / "veh")
    (tmp_path / "veh/train").rename(tmp_path / "veh/trains")
    assert "classes: bus, trains" in read(tmp_path / "veh").about


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


def draw_bright_and_dim(folder, save):
    """Two classes that differ in brightness. save: (path, numbers from 0 to 65535)."""
    random = np.random.default_rng(0)
    for name, (low, high) in {"dim": (3000, 8000), "bright": (30000, 60000)}.items():
        (folder / name).mkdir(parents=True)
        for i in range(20):
            save(folder / name / str(i), random.integers(low, high, (12, 12)))


def test_images_of_16_bits_and_of_floats_keep_their_numbers(tmp_path):
    """Pillow alone clips them at 255. The same pixels in 8 bits give nearly the same numbers."""

    def saved(mode, ending, scale):
        return lambda path, pixels: Image.fromarray((pixels * scale).astype(mode)).save(f"{path}{ending}")

    draw_bright_and_dim(tmp_path / "eight", saved("uint8", ".png", 1 / 256))
    draw_bright_and_dim(tmp_path / "deep", saved("uint16", ".png", 1))
    draw_bright_and_dim(tmp_path / "tiff", saved("uint16", ".tif", 1))
    draw_bright_and_dim(tmp_path / "floats", saved("float32", ".tiff", 1 / 65536))
    eight, *others = (read(tmp_path / name).train.x for name in ("eight", "deep", "tiff", "floats"))
    for x in others:
        assert x.shape == eight.shape == (28, 1, 12, 12)
        assert (x - eight).abs().max() < 0.02
    assert read(tmp_path / "deep", image_size=6).train.x.std() > 0.5


def test_images_that_are_all_one_colour_are_refused(tmp_path):
    draw_bright_and_dim(tmp_path / "white", lambda p, x: Image.fromarray(0 * x.astype("uint8")).save(f"{p}.png"))
    with pytest.raises(InputError, match="white: the training images must vary, but 'one colour, 0,' was given"):
        read(tmp_path / "white")


def test_floats_beside_bytes_are_refused(tmp_path):
    draw_images(tmp_path / "mixed", mode="L", number=10)
    Image.fromarray(np.ones((8, 10), "float32")).save(tmp_path / "mixed/cat/float.tif")
    with pytest.raises(InputError, match="modes F, L are mixed, whose numbers have different ranges"):
        read(tmp_path / "mixed")


def test_a_photo_is_turned_as_its_camera_says_and_transparency_is_named(tmp_path):
    draw_images(tmp_path / "photos", mode="RGB", size=(10, 8), number=10)
    upright = Image.open(tmp_path / "photos/cat/0.png")
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "photos/cat/turned.webp", exif=exif, lossless=True)
    upright.convert("RGBA").save(tmp_path / "photos/cat/alpha.png")
    data = read(tmp_path / "photos")
    assert data.input_shape == (3, 8, 10)
    assert "transparency is ignored in 1 images" in data.about


@pytest.mark.parametrize(
    "names", [("Training", "Testing"), ("Train", "Val", "Test"), ("seg_train/seg_train", "seg_test/seg_test")]
)
def test_parts_are_not_taken_for_classes(tmp_path, names):
    for name in names:
        draw_images(tmp_path / "kaggle" / name, number=12)
    draw_images(tmp_path / "kaggle/seg_pred")
    data = read(tmp_path / "kaggle")
    assert (data.classes, data.test.rows) == (2, 24)
    assert data.train.rows + data.validation.rows == 24 * (len(names) - 1)
    assert f"{names[0]} for train" in data.about
    assert "folders that are not read: seg_pred" in data.about


def test_folders_that_look_like_parts_are_refused(tmp_path):
    for name in ("fold1", "fold2"):
        draw_images(tmp_path / "folds" / name)
    with pytest.raises(InputError, match="each of fold1, fold2 holds the folders cat, dog and no images"):
        read(tmp_path / "folds")
    for name in ("train", "Training"):
        draw_images(tmp_path / "two" / name)
    with pytest.raises(InputError, match="two must have one folder for train"):
        read(tmp_path / "two")


def test_an_unpacked_archive_is_read_below_its_only_folder(tmp_path):
    draw_images(tmp_path / "archive/dataset")
    data = read(tmp_path / "archive")
    assert data.classes == 2
    assert "its images are in dataset" in data.about


def test_folders_without_images_are_no_classes_and_are_named(tmp_path):
    draw_images(tmp_path / "pets", classes=("a", "c"))
    draw_images(tmp_path / "pets/.ipynb_checkpoints", classes=("a",), number=1)
    draw_images(tmp_path / "pets/a/.ipynb_checkpoints", classes=("a",), number=1)
    (tmp_path / "pets/__MACOSX").mkdir()
    (tmp_path / "pets/b").mkdir()
    for i in range(12):
        Image.fromarray(np.zeros((8, 10), "uint8")).save(tmp_path / f"pets/b/{i}.gif")
    data = read(tmp_path / "pets")
    assert (data.classes, data.train.rows + data.validation.rows + data.test.rows) == (2, 40)
    assert "folders without images, which are not classes: b" in data.about
    assert "files that are not read: 12 .gif" in data.about


def test_links_repeat_no_image(tmp_path):
    draw_images(tmp_path / "pets")
    (tmp_path / "pets/cat/loop").symlink_to(tmp_path / "pets")
    (tmp_path / "pets/cat/again.png").symlink_to(tmp_path / "pets/cat/1.png")
    data = read(tmp_path / "pets")
    assert (data.classes, data.train.rows + data.validation.rows + data.test.rows) == (2, 40)
    (tmp_path / "pets/dog/stranger.png").symlink_to(tmp_path / "pets/cat/1.png")
    with pytest.raises(InputError, match="is the same file as .*1.png: an image must be in one class and one part"):
        read(tmp_path / "pets")


def test_a_link_to_a_folder_above_is_no_class(tmp_path):
    for place in ("pets", "parts/train", "parts/test"):
        draw_images(tmp_path / place)
    before = [read(tmp_path / name).train.rows for name in ("pets", "parts")]
    (tmp_path / "pets/again").symlink_to(".")
    (tmp_path / "pets/home").symlink_to(tmp_path)
    (tmp_path / "parts/train/again").symlink_to("..")
    (tmp_path / "parts/val").symlink_to(".")
    assert [read(tmp_path / name).train.rows for name in ("pets", "parts")] == before
    assert read(tmp_path / "pets").classes == 2


def test_folders_that_are_links_are_read(tmp_path):
    draw_images(tmp_path / "elsewhere")
    (tmp_path / "pets").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).symlink_to(tmp_path / "elsewhere" / name)
    assert read(tmp_path / "pets").train.rows == 28


def test_an_image_that_claims_to_be_huge_is_refused(tmp_path):
    draw_images(tmp_path / "pets")
    head = (tmp_path / "pets/cat/3.png").read_bytes()
    size = b"IHDR" + struct.pack(">II", 60000, 60000) + head[24:29]
    huge = head[:12] + size + struct.pack(">I", zlib.crc32(size)) + head[33:]
    (tmp_path / "pets/cat/3.png").write_bytes(huge)
    with pytest.raises(InputError, match=r"1 of 40 images cannot be read, such as .*cat/3.png"):
        read(tmp_path / "pets")
