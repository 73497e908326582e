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
    """Names of the matrices that Muon is not for: those of embeddings, and of the first and the last layer."""
    layers = [module for module in model.modules() if next(module.parameters(recurse=False), None) is not None]
    embeddings = [module for module in layers if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    found = {id(one) for module in [*layers[:1], *layers[-1:], *embeddings] for one in module.parameters(recurse=False)}
    return [name for name, one in model.named_parameters() if one.ndim == 2 and id(one) in found]
