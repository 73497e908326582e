"""Which matrices of a model Muon is for: all but those of embeddings, and of the first and the last layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer

from search_spaces.muon import MuonWithAdamW


def make_muon(adamw_for: Sequence[str], weight_decay: float, model: nn.Module) -> Optimizer:
    """The optimizer of a model."""
    return MuonWithAdamW(model, adamw_for, lr=1.0, weight_decay=weight_decay)


def matrices_at_the_ends(model: nn.Module) -> list[str]:
    """Names of the matrices that Muon is not for: those of embeddings, and of the first and the last layer.

    What the model itself holds, such as positions, is no hidden layer. The last part with parameters counts, also if it
    is a norm: the head then is an embedding's matrix once more.
    """
    parts = [part for part in model.modules() if next(part.parameters(recurse=False), None) is not None]
    layers = [part for part in parts if part is not model]
    embeddings = [part for part in layers if isinstance(part, nn.Embedding | nn.EmbeddingBag)]
    ends = [model, *layers[:1], *layers[-1:], *embeddings]
    found = {id(one) for module in ends for one in module.parameters(recurse=False)}
    return [name for name, one in model.named_parameters() if one.ndim == 2 and id(one) in found]
