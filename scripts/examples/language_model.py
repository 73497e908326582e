"""A custom workload: predict the next letter of a text from the preceding ones.

python scripts/search.py --workload examples.language_model:workload --optimizer adamw --epochs 4
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from study.workloads import Data, Metric, Split, Workload

LENGTH, WIDTH = 32, 32
"""Letters per example, and width of the model."""
WORDS = [
    "the",
    "rate",
    "falls",
    "and",
    "the",
    "loss",
    "follows",
    "while",
    "a",
    "long",
    "run",
    "warms",
    "up",
    "then",
    "cools",
    "down",
]


def made_text(words: int) -> str:
    """A random text of this many words, in which some words follow others more often; the same text every time."""
    generator = torch.Generator().manual_seed(0)
    likely = torch.rand(len(WORDS), len(WORDS), generator=generator) ** 4
    found = [0]
    for _ in range(words - 1):
        found.append(int(torch.multinomial(likely[found[-1]], 1, generator=generator)))
    return " ".join(WORDS[word] for word in found)


class LanguageModel(nn.Module):
    """One causal transformer layer over learned letters and positions."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(LENGTH, WIDTH))
        self.layer = nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, dropout=0.1, batch_first=True, norm_first=True)
        self.head = nn.Linear(WIDTH, letters)
        self.register_buffer("later", torch.triu(torch.ones(LENGTH, LENGTH, dtype=torch.bool), diagonal=1))

    def forward(self, x: Tensor) -> Tensor:
        """Letter indices x (rows, LENGTH) -> scores of the next letter at each position, (rows, LENGTH, letters)."""
        hidden = self.layer(self.letters(x) + self.positions, src_mask=self.later)
        scores: Tensor = self.head(hidden)
        return scores


def loss(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, the cross-entropy in nats, averaged over its letters."""
    return cross_entropy(scores.transpose(1, 2), targets, reduction="none").mean(1)


def bits(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, the cross-entropy in bits per letter."""
    return loss(scores, targets) / math.log(2)


class MakeModel:
    """Makes the model; a class of a module, so that it can be sent to worker processes."""

    def __init__(self, letters: int) -> None:
        self.letters = letters

    def __call__(self) -> nn.Module:
        return LanguageModel(self.letters)


def workload() -> Workload:
    """The text, split into three consecutive parts and cut into rows; targets are shifted by one letter."""
    text = made_text(8000)
    letters = sorted(set(text))
    ids = torch.tensor([letters.index(letter) for letter in text])
    rows = (len(ids) - 1) // LENGTH
    x, y = (ids[shift : shift + rows * LENGTH].view(rows, LENGTH) for shift in (0, 1))
    train, validation = int(0.7 * rows), int(0.85 * rows)
    data = Data(
        name="made-text",
        classes=len(letters),
        train=Split(x[:train], y[:train]),
        validation=Split(x[train:validation], y[train:validation]),
        test=Split(x[validation:], y[validation:]),
    )
    metric = Metric("bits_per_letter", "minimize", "bits", worst=2 * math.log2(len(letters)), measure=bits)
    return Workload("language-model", data, MakeModel(len(letters)), loss, metric)
