"""Images as tensors: 8 and 16 bits, floats, gray and colour."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from search_spaces.errors import InputError, words_of

GRAY = ("1", "L")
"""Pillow's modes of gray images of at most 8 bits."""
DEEP = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I;16N": 65535, "I": 1, "F": 1}
"""What a pixel is divided by, by Pillow's mode of gray images that Pillow would clip at 255."""
ROTATED = (5, 6, 7, 8)
"""Values of the orientation in EXIF that swap width and height."""
ORIENTATION = 0x0112
WITH_EXIF = ("JPEG", "MPO", "TIFF", "WEBP")
"""Formats that have EXIF data before the pixels."""
CANNOT = (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError)
"""What Pillow raises for damaged files, besides DecompressionBombError."""


def open_image(path: str) -> Any:
    """The image, decoded and turned as its EXIF data says; raises InputError if it cannot be read."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:  # of damaged EXIF data
            return ImageOps.exif_transpose(image)
    except (*CANNOT, Image.DecompressionBombError) as error:
        raise InputError(f"image {path} cannot be read ({words_of(error)}): replace or remove it") from error


class Head(NamedTuple):
    """What an image's file says before its pixels. size: (width, height). mode: Pillow's."""

    size: tuple[int, int]
    mode: str
    transparent: bool


def read_head(path: str) -> Head | None:
    """The head of an image's file; None if it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:  # of damaged EXIF data
            width, height = image.size
            rotated = image.format in WITH_EXIF and image.getexif().get(ORIENTATION) in ROTATED
            size = (height, width) if rotated else (width, height)
            return Head(size, image.mode, image.has_transparency_data)
    except (*CANNOT, Image.DecompressionBombError):
        return None


def image_tensor(image: Any, shape: tuple[int, ...], mean: Any = 0.0, deviation: Any = 1.0) -> Tensor:
    """An image as a standardised tensor (channels, height, width)."""
    from PIL import Image
    from torchvision.transforms.v2 import functional

    scale = 255
    if image.mode in DEEP:
        scale = DEEP[image.mode]
        image = Image.fromarray(np.asarray(image, dtype=np.float32))
    else:
        image = image.convert("L" if shape[0] == 1 else "RGB")
    if (image.height, image.width) != shape[1:]:
        image = functional.center_crop(functional.resize(image, [shape[1]]), list(shape[1:]))
    pixels: Tensor = functional.pil_to_tensor(image).float().expand(shape[0], -1, -1)
    standardised: Tensor = (pixels / scale - mean) / deviation
    return standardised
