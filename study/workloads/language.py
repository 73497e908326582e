"""Language models: what they are trained and measured by, and how their weights decay."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import AdamW

from study.objective import Metric

CLIP_NORM = 1.0
"""Largest norm of the gradient, as usual for language models since GPT-3 (Brown et al. 2020)."""


def token_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """For each row, the cross-entropy in nats, averaged over its tokens.

    scores: (rows, context, tokens). targets: (rows, context), the next token at each position.
    """
    losses = cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view(targets.shape).mean(1)


def bits_per_byte(tokens_per_byte: float) -> Metric:
    """Bits that the model needs for a byte of the text: comparable between tokenizers, unlike the loss of a token.

    tokens_per_byte: of the text; 1 if its bytes are the tokens. The worst value is that of bytes drawn at random.
    """
    measure = partial(bits, tokens_per_byte=tokens_per_byte)
    return Metric("bits_per_byte", "minimize", "bits per byte", 8.0, measure)


def bits(scores: Tensor, targets: Tensor, tokens_per_byte: float) -> Tensor:
    """For each row, the bits per byte of its text."""
    return token_loss(scores, targets) * (tokens_per_byte / math.log(2))


def grouped_adamw(arguments: dict[str, Any], model: nn.Module) -> AdamW:
    """AdamW that decays matrices only, not the scales of norms; fused, which is faster, if torch can."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    fusible = all(parameter.is_floating_point() for parameter in model.parameters())  # complex ones are not
    return AdamW([group for group in groups if group["params"]], lr=1.0, fused=fusible or None, **arguments)


def grouped_adamw_code(arguments: dict[str, Any]) -> str:
    """The call that makes it, as in `Workload.optimizer_code`."""
    listed = "".join(f", {name}={value!r}" for name, value in arguments.items())
    return (
        'torch.optim.AdamW([{"params": [p for p in model.parameters() if p.ndim >= 2]}, '
        '{"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0}], '
        f"lr={{lr}}{listed})"
    )
