"""Text as the tokens of a Hugging Face tokenizer; the metric still counts bytes, so that they can be compared."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from search_spaces.errors import InputError, require, words_of
from study.objective import Metric
from study.workloads.data import Data, Split
from study.workloads.language import token_loss
from study.workloads.names import LANGUAGE
from study.workloads.text import CONTEXT, LEAST, TRAIN, VALIDATION, read_bytes

LOSSY = (
    "note: the tokens do not give the text back (unknown words, lower case or spaces are lost), so bits per byte may "
    "be too low to be compared with those of other tokenizers"
)
COUNTS = 2
"""Columns of the targets behind the tokens: the bytes of the text that the part predicts, and its rows."""


def read_tokens(path: Path, tokenizer: str, split_seed: int) -> Data:
    """The tokens of a text file. tokenizer: the path of its JSON file.

    Raises InputError if one of the two cannot be read, or the text is too short to be split.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise InputError("--tokenizer needs tokenizers: pip install tokenizers") from error
    file = Path(tokenizer).expanduser()
    require(file.is_file(), "--tokenizer must be a file, as Tokenizer.save writes it", tokenizer)
    require(split_seed == 0, f"{path.name} is split in its order: --split-seed must be 0", split_seed)
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8, which --tokenizer needs ({words_of(error)})") from error
    try:
        made = Tokenizer.from_file(str(file))
    except Exception as error:  # it raises nothing narrower
        raise InputError(f"--tokenizer {tokenizer} is not a tokenizer ({words_of(error)})") from error
    made.no_truncation()  # a file may ask for either, which is for batches of sentences
    made.no_padding()
    encoded = made.encode(text, add_special_tokens=False)
    classes = 1 + max(made.get_vocab(with_added_tokens=True).values(), default=0)  # a vocabulary may have holes
    data = token_data(path.name, text, encoded.ids, encoded.offsets, classes)
    if made.decode(encoded.ids, skip_special_tokens=False) == text:
        return data
    return replace(data, about=f"{data.about}\n{LOSSY}")


def token_data(name: str, text: str, ids: list[int], offsets: list[tuple[int, int]], classes: int) -> Data:
    """Examples of CONTEXT tokens each, whose targets are the tokens that follow them, and the counts of their part.

    offsets: of each token, where it begins and ends in the text. Parts follow each other, as those of bytes.
    """
    count = (len(ids) - 1) // CONTEXT
    require(count >= LEAST, f"{name} must have at least {LEAST * CONTEXT + 1} tokens", len(ids))
    numbers = torch.tensor(ids[: count * CONTEXT + 1])
    examples, following = numbers[:-1].view(count, CONTEXT), numbers[1:].view(count, CONTEXT)
    ends = [0, int(TRAIN * count), int((TRAIN + VALIDATION) * count), count]
    parts = []
    for begin, end in pairwise(ends):
        first, last = offsets[begin * CONTEXT][1], offsets[end * CONTEXT][1]
        counts = torch.tensor([len(text[first:last].encode()), end - begin]).expand(end - begin, COUNTS)
        targets = torch.cat([following[begin:end], counts], dim=1)
        parts.append(Split(examples[begin:end].clone(), targets))
    train, validation, test = parts
    rows = " + ".join(str(part.rows) for part in parts)
    about = (
        f"{name}: {len(text.encode()):,} bytes of text in {len(ids):,} tokens of {classes:,}; {rows} examples of "
        f"{CONTEXT} tokens for train, validation and test, in the order of the text"
    )
    return Data(name, classes, train, validation, test, LANGUAGE, about)


def has_tokens(data: Data) -> bool:
    """Whether this is text in the form that `token_data` makes."""
    if data.task != LANGUAGE:
        return False
    x, y = data.train.first(1)
    return y.ndim == 2 and y.shape[1] == x.shape[1] + COUNTS


def counted_token_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """`token_loss` of the tokens among the targets."""
    return token_loss(scores, targets[:, :-COUNTS])


def counted_bits(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row its bits, over the bytes that a row of its part has: the mean is all bits over all bytes."""
    size, rows = targets[:, -COUNTS:].unbind(1)
    return counted_token_loss(scores, targets) * scores.shape[1] / math.log(2) * rows / size


def bits_per_byte(data: Data) -> Metric:
    """The metric; its worst value is that of validation tokens drawn at random."""
    _, y = data.validation.first(1)
    size, rows = y[0, -COUNTS:].tolist()
    worst = math.log2(data.classes) * CONTEXT * rows / size
    return Metric("bits_per_byte", "minimize", "bits per byte", worst, counted_bits)
