"""Attention that `torch.func.vmap` can batch.

Vmap has no batching rule for torch's fused CPU kernels: it calls them once per run and allocates a zero gradient for
each call. On CUDA, the gradient of a batched fused kernel fails ("LSE is not correctly aligned", torch 2.11). The same
formula written as separate operations is batched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

VECTOR = 16
"""For rows shorter than this, torch's softmax falls back to scalar code, which is six times slower than the formula."""


@contextmanager
def batchable_attention(device: torch.device) -> Iterator[None]:
    """Within the context, encoder layers are not fused, and attention is no fused kernel.

    On the CPU it is the function below, which is fast for short rows; elsewhere torch's own formula.
    """
    layers_fused, fused = torch.backends.mha.get_fastpath_enabled(), functional.scaled_dot_product_attention
    torch.backends.mha.set_fastpath_enabled(False)
    if device.type == "cpu":
        functional.scaled_dot_product_attention = attention
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        functional.scaled_dot_product_attention = fused
        torch.backends.mha.set_fastpath_enabled(layers_fused)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Same as torch.nn.functional.scaled_dot_product_attention; see there for the arguments."""
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = (tensor.repeat_interleave(groups, dim=-3) for tensor in (key, value))
    if is_causal:
        attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
    scores = (query * (scale or 1 / math.sqrt(query.shape[-1]))) @ key.mT
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    short = scores.shape[-1] < VECTOR
    weights = (scores - scores.logsumexp(-1, keepdim=True)).exp() if short else scores.softmax(-1)
    return functional.dropout(weights, dropout_p) @ value
