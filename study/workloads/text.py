"""Text for a language model: its bytes, in examples that each hold a stretch and the same one byte later."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from search_spaces.errors import InputError, require
from study.machine import check_free_memory
from study.workloads.data import Data, Split
from study.workloads.names import LANGUAGE

CONTEXT = 128
"""Bytes of an example, all of which a model may look at for the last."""
TRAIN, VALIDATION = 0.8, 0.1
"""Shares of the text, from its start; the rest is for test."""
LEAST = 20
"""Examples in the shortest text."""
COPIES = 16
"""Bytes of memory for each byte of the text: it is held twice, as numbers of eight bytes."""


def read_text_file(path: Path, split_seed: int) -> Data:
    """The text of a file; raises InputError if it cannot be read, or is too short to be split."""
    return text_data(path.name, read_bytes(path), split_seed)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; raises InputError if it cannot be read."""
    try:
        check_free_memory(str(path), COPIES * path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def pydoc(name: str, data_root: Path, split_seed: int) -> Data:
    """The documentation that ships with CPython, some 460 kB of English; it differs between versions of Python."""
    from pydoc_data.topics import topics

    return text_data(name, "\n".join(topics[topic] for topic in sorted(topics)).encode(), split_seed)


def text_data(name: str, text: bytes, split_seed: int) -> Data:
    """Examples of CONTEXT bytes each, whose targets are the bytes that follow them.

    Train, validation and test are the beginning, what follows, and the end of the text: bytes next to each other are
    too alike to be shared out at random.
    """
    require(split_seed == 0, f"{name} is split in its order: --split-seed must be 0", split_seed)
    count = (len(text) - 1) // CONTEXT
    require(count >= LEAST, f"{name} must have at least {LEAST * CONTEXT + 1} bytes", len(text))
    numbers = torch.from_numpy(np.frombuffer(text, dtype=np.uint8).astype(np.int64))
    examples = numbers[: count * CONTEXT].view(count, CONTEXT)
    following = numbers[1 : count * CONTEXT + 1].view(count, CONTEXT)
    ends = [0, int(TRAIN * count), int((TRAIN + VALIDATION) * count), count]
    parts = [(examples[begin:end].clone(), following[begin:end].clone()) for begin, end in pairwise(ends)]
    train, validation, test = (Split(*part) for part in parts)  # clones: a view is sent with all that it is a view of
    counts = " + ".join(str(part.rows) for part in (train, validation, test))
    about = (
        f"{name}: {len(text):,} bytes of text; {counts} examples of {CONTEXT} bytes for train, validation and test, "
        "in the order of the text"
    )
    return Data(name, 256, train, validation, test, LANGUAGE, about)
