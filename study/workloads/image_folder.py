"""Data in a folder of images with one subfolder per class, like torchvision's ImageFolder.

The folder may instead contain train, val and test folders, each with one subfolder per class. A missing part is split
off from the training images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.data import Subset

from search_spaces.errors import InputError, require
from study.workloads.data import Data, Split
from study.workloads.splits import row_numbers
from study.workloads.streamed import StreamedSplit

PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
"""Names of subfolders that hold one part of the data."""
USUAL_SIZE = 64
"""Side in pixels that images of different sizes are resized to."""
MEMORY_SHARE = 0.25
"""Fraction of the free memory that images may take; larger data is read from disk when needed."""
SAMPLE = 1000
"""Number of training images, evenly spaced, from which mean and deviation are computed."""


def read_images(folder: Path, image_size: int | None, split_seed: int) -> Data:
    """Read a folder of images, all of one size, standardised per channel.

    image_size: side in pixels; the shorter side is resized to it, and the center is cropped. None: the images' own size
    if all are equal, else USUAL_SIZE. Raises InputError if a folder has no classes, or an image cannot be read.
    """
    found = {PARTS[child.name]: child for child in sorted(folder.iterdir()) if child.is_dir() and child.name in PARTS}
    roots = found if "train" in found else {"train": folder}
    classes = class_names(roots["train"])
    for root in roots.values():
        extra = sorted(set(class_names(root)) - set(classes))
        require(not extra, f"{root}: the classes must be among those of {roots['train']}", ", ".join(extra))
    listed = {part: image_folder(root, classes) for part, root in roots.items()}
    shape, resize = common_shape([path for images in listed.values() for path, _ in images.samples], image_size)
    plain = {part: image_folder(root, classes, partial(image_tensor, shape=shape)) for part, root in roots.items()}
    rows = row_numbers(str(folder), len(plain["train"]), split_seed, "validation" not in plain, "test" not in plain)
    sets: dict[str, Any] = plain | {part: Subset(plain["train"], numbers.tolist()) for part, numbers in rows.items()}
    mean, deviation = mean_and_deviation(sets["train"])
    for images in plain.values():
        images.transform = partial(image_tensor, shape=shape, mean=mean, deviation=deviation)
    train, validation, test = (StreamedSplit(sets[part]) for part in ("train", "validation", "test"))
    counts = f"{train.rows} + {validation.rows} + {test.rows} images for train, validation and test"
    needed = 4 * torch.Size(shape).numel() * (train.rows + validation.rows + test.rows)
    resident = needed <= MEMORY_SHARE * psutil.virtual_memory().available
    where = "kept in memory" if resident else "read when needed, by worker processes"
    size = f"{needed / 1e6:.0f} MB, {'at most' if resident else 'more than'} {MEMORY_SHARE:.0%} of free memory"
    about = f"{folder.name}: {counts}, {len(classes)} classes; {resize}; {where} ({size})"
    data = Data(folder.name, len(classes), train, validation, test, about=about)
    if not resident:
        return data
    return replace(data, train=in_memory(train), validation=in_memory(validation), test=in_memory(test))


def class_names(root: Path) -> list[str]:
    """The names of the subfolders; raises InputError if it has no subfolders."""
    names = sorted(child.name for child in root.iterdir() if child.is_dir())
    require(len(names) >= 1, f"{root} must contain one subfolder of images per class", "a folder without subfolders")
    return names


def image_folder(root: Path, classes: list[str], transform: Any = None) -> Any:
    """Torchvision's ImageFolder, with the numbers of the classes as in the training images."""
    from torchvision.datasets import ImageFolder  # seconds to import, which other data need not wait for

    class Folder(ImageFolder):  # type: ignore[misc]  # torchvision is not typed
        def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
            return classes, {name: number for number, name in enumerate(classes)}

    images = Folder(str(root), transform=transform, loader=open_image, allow_empty=True)
    present = {number for _, number in images.samples}
    require(len(present) > 1, f"{root} must contain images of at least two classes", [classes[n] for n in present])
    return images


def open_image(path: str) -> Any:
    """The image, decoded; raises InputError if it cannot be read."""
    from PIL import Image

    try:
        image = Image.open(path)
        image.load()
        return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"image {path} cannot be read ({error}): replace or remove it") from error


def common_shape(paths: list[str], image_size: int | None) -> tuple[tuple[int, ...], str]:
    """((channels, height, width) of all images, a phrase that describes any resizing), from the file headers."""
    from PIL import Image

    sizes, modes, bad = set(), set(), []
    for path in paths:
        try:
            with Image.open(path) as image:
                sizes.add(image.size)
                modes.add(image.mode)
        except OSError:
            bad.append(path)
    if bad:
        raise InputError(f"{len(bad)} of {len(paths)} images cannot be read, such as {bad[0]}: remove them")
    channels = 1 if modes <= {"1", "L"} else 3
    if image_size is None and len(sizes) == 1:
        width, height = sizes.pop()
        return (channels, height, width), f"{width} x {height} pixels"
    side = image_size or USUAL_SIZE
    reason = "" if image_size else " because their sizes differ; override with --image-size"
    return (channels, side, side), f"resized to {side} x {side} pixels{reason}"


def image_tensor(image: Any, shape: tuple[int, ...], mean: Any = 0.0, deviation: Any = 1.0) -> Tensor:
    """An image as a standardised tensor (channels, height, width)."""
    from torchvision.transforms.v2 import functional

    image = image.convert("L" if shape[0] == 1 else "RGB")
    if (image.height, image.width) != shape[1:]:
        image = functional.center_crop(functional.resize(image, [shape[1]]), list(shape[1:]))
    pixels: Tensor = (functional.pil_to_tensor(image).float() / 255 - mean) / deviation
    return pixels


def mean_and_deviation(images: Any) -> tuple[Tensor, Tensor]:
    """(mean, deviation) of each channel over SAMPLE images, each (channels, 1, 1)."""
    some = torch.linspace(0, len(images) - 1, min(len(images), SAMPLE)).round().long()
    x, _ = next(StreamedSplit(images).fetch([some]))
    deviation, mean = torch.std_mean(x, [0, 2, 3])
    return mean[:, None, None], torch.where(deviation > 0, deviation, 1.0)[:, None, None]


def in_memory(split: StreamedSplit) -> Split:
    """The split with all rows read into memory."""
    parts = list(split.parts(SAMPLE))
    return Split(torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts]))
