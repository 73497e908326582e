"""Data in a folder of images with one subfolder per class, like torchvision's ImageFolder.

The folder may instead contain train, val and test folders, each with one subfolder per class. A missing part is split
off from the training images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from search_spaces.errors import InputError, require
from study.workloads.data import Data, Split
from study.workloads.image_files import find_images
from study.workloads.image_pixels import DEEP, GRAY, image_tensor, open_image, read_head
from study.workloads.named import name_list
from study.workloads.splits import row_numbers
from study.workloads.streamed import MOST_WORKERS, StreamedSplit

USUAL_SIZE = 64
"""Side in pixels that images of different sizes are resized to."""
MEMORY_SHARE = 0.25
"""Fraction of the free memory that images may take; larger data is read from disk when needed."""
FEW = 300
"""Number of images up to which they are read in this process."""
SAMPLE = 1000
"""Number of training images, evenly spaced, from which mean and deviation are computed."""


@dataclass(frozen=True)
class Images(Dataset[tuple[Tensor, int]]):
    """Images in files, with the numbers of their classes. mean, deviation: of each channel, (channels, 1, 1)."""

    samples: list[tuple[str, int]]
    shape: tuple[int, ...]
    mean: Any = 0.0
    deviation: Any = 1.0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        path, number = self.samples[row]
        return image_tensor(open_image(path), self.shape, self.mean, self.deviation), number


def read_images(folder: Path, image_size: int | None, split_seed: int) -> Data:
    """Read a folder of images, all of one size, standardised per channel.

    image_size: side in pixels; the shorter side is resized to it, and the center is cropped. None: the images' own size
    if all are equal, else USUAL_SIZE. Raises InputError if a folder has no classes, or an image cannot be read.
    """
    found = find_images(folder)
    shape, said = common_shape([path for samples in found.samples.values() for path, _ in samples], image_size)
    plain = {part: Images(samples, shape) for part, samples in found.samples.items()}
    rows = row_numbers(str(folder), len(plain["train"]), split_seed, "validation" not in plain, "test" not in plain)

    def with_split(images: dict[str, Images]) -> dict[str, Any]:
        return images | {part: Subset(images["train"], numbers.tolist()) for part, numbers in rows.items()}

    mean, deviation = mean_and_deviation(with_split(plain)["train"])
    require(bool((deviation > 0).any()), f"{folder}: the training images must vary", f"one colour, {mean.mean():.3g},")
    deviation = torch.where(deviation > 0, deviation, 1.0)
    sets = with_split({part: replace(images, mean=mean, deviation=deviation) for part, images in plain.items()})
    train, validation, test = (StreamedSplit(sets[part]) for part in ("train", "validation", "test"))
    counts = f"{train.rows} + {validation.rows} + {test.rows} images for train, validation and test"
    needed = 4 * torch.Size(shape).numel() * (train.rows + validation.rows + test.rows)
    resident = needed <= MEMORY_SHARE * psutil.virtual_memory().available
    where = "kept in memory" if resident else "read when needed, by worker processes"
    size = f"{needed / 1e6:.0f} MB, {'at most' if resident else 'more than'} {MEMORY_SHARE:.0%} of free memory"
    first = f"{folder.name}: {counts}, {len(found.classes)} classes; {said[0]}; {where} ({size})"
    about = "\n".join([first, f"classes: {name_list(found.classes)}", *found.notes, *said[1:]])
    data = Data(folder.name, len(found.classes), train, validation, test, about=about)
    if not resident:
        return data
    return replace(data, train=in_memory(train), validation=in_memory(validation), test=in_memory(test))


def common_shape(paths: list[str], image_size: int | None) -> tuple[tuple[int, ...], list[str]]:
    """((channels, height, width) of all images, how they are resized and what else is lost), from the file headers."""
    heads = [read_head(path) for path in paths]
    bad = [path for path, head in zip(paths, heads, strict=True) if head is None]
    if bad:
        raise InputError(f"{len(bad)} of {len(paths)} images cannot be read, such as {bad[0]}: remove them")
    known = [head for head in heads if head is not None]
    sizes, modes = {head.size for head in known}, {head.mode for head in known}
    unscaled = modes & {mode for mode, scale in DEEP.items() if scale == 1}
    if unscaled and len(modes) > 1:
        raise InputError(
            f"images of Pillow's modes {', '.join(sorted(modes))} are mixed, whose numbers have different ranges: "
            "convert them to one mode"
        )
    transparent = sum(head.transparent for head in known)
    lost = [f"transparency is ignored in {transparent} images"] if transparent else []
    channels = 1 if modes <= {*GRAY, *DEEP} else 3
    if image_size is None and len(sizes) == 1:
        width, height = sizes.pop()
        return (channels, height, width), [f"{width} x {height} pixels", *lost]
    side = image_size or USUAL_SIZE
    reason = "" if image_size else " because their sizes differ; override with --image-size"
    return (channels, side, side), [f"resized to {side} x {side} pixels{reason}", *lost]


def mean_and_deviation(images: Any) -> tuple[Tensor, Tensor]:
    """(mean, deviation) of each channel over SAMPLE images, each (channels, 1, 1)."""
    some = torch.linspace(0, len(images) - 1, min(len(images), SAMPLE)).round().long()
    x, _ = next(StreamedSplit(images, workers=readers(len(some))).fetch([some]))
    deviation, mean = torch.std_mean(x, [0, 2, 3])
    return mean[:, None, None], deviation[:, None, None]


def in_memory(split: StreamedSplit) -> Split:
    """The split with all rows read into memory."""
    parts = list(replace(split, workers=readers(split.rows)).parts(SAMPLE))
    return Split(torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts]))


def readers(images: int) -> int:
    """How many processes read images: starting one takes longer than reading a few."""
    return MOST_WORKERS if images > FEW else 0
