"""A small causal transformer in today's fashion: pre-norm, rotary positions, no biases, one matrix for both ends."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

DEVIATION = 0.02
"""Standard deviation of initial weights, as in GPT-2; of those that write to the residual stream, less."""


class GPT(nn.Module):
    """A decoder that predicts at each position the next token from those up to it.

    input_shape: (context,), the tokens of an example. classes: different tokens. width: of the residual stream.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, input_shape: tuple[int, ...], classes: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.RMSNorm(width)
        cosine, sine = rotations(input_shape[0], width // heads)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                writes = name.endswith(("attended.weight", "contract.weight"))
                nn.init.normal_(weight, std=DEVIATION / (2 * depth) ** 0.5 if writes else DEVIATION)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (rows, context), whole numbers -> scores of the next one at each position (rows, context, classes)."""
        x = self.embedding(tokens)
        length = tokens.shape[-1]
        for block in self.blocks:
            x = block(x, self.cosine[:length], self.sine[:length])
        scores: Tensor = functional.linear(self.norm(x), self.embedding.weight)
        return scores


class Block(nn.Module):
    """Causal attention and a two-layer network, each on the normalised stream and added to it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first_norm, self.second_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.projections = nn.Linear(width, 3 * width, bias=False)
        self.attended = nn.Linear(width, width, bias=False)
        self.expand = nn.Linear(width, 4 * width, bias=False)
        self.contract = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """x (rows, context, width) -> the same shape."""
        rows, context, width = x.shape
        projected = self.projections(self.first_norm(x)).view(rows, context, 3, self.heads, width // self.heads)
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # each (rows, heads, context, width of a head)
        query, key = rotated(query, cosine, sine), rotated(key, cosine, sine)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attended(mixed.transpose(1, 2).reshape(rows, context, width))
        return x + self.contract(functional.gelu(self.expand(self.second_norm(x))))  # type: ignore[no-any-return]


def rotations(context: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (context, size / 2) of the angle of each position and pair, as in RoFormer (Su et al. 2021)."""
    frequencies = 10_000.0 ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
    angles = torch.arange(context, dtype=torch.float32)[:, None] * frequencies
    return angles.cos(), angles.sin()


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """x (..., context, size), each pair (first half, second half) turned by its angle."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


tiny = partial(GPT, width=64, depth=2, heads=4)
"""About 115,000 weights with 256 tokens."""
small = partial(GPT, width=128, depth=4, heads=4)
"""About 820,000 weights with 256 tokens."""
