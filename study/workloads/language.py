"""Language models: what they are trained and measured by, and how their weights decay."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from study.objective import Metric

CLIP_NORM = 1.0
"""Largest norm of the gradient, as usual for language models since GPT-3 (Brown et al. 2020)."""


def token_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, the cross-entropy in nats, averaged over its tokens.

    scores: (rows, context, tokens). targets: (rows, context), the next token at each position.
    """
    losses = cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view(targets.shape).mean(1)


def bits(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, the bits that the model needs for a byte, if the tokens are bytes."""
    return token_loss(scores, targets) / math.log(2)


BITS_PER_BYTE = Metric("bits_per_byte", "minimize", "bits per byte", 8.0, bits)
"""The worst value is that of bytes drawn at random."""


def decaying_matrices(model: nn.Module) -> list[dict[str, Any]]:
    """The model's parameters in groups, of which only the matrices decay, not the scales of norms."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


DECAYING_MATRICES = (
    '[{"params": [p for p in model.parameters() if p.ndim >= 2]}, '
    '{"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}]'
)
"""The same as code."""
