"""The statistics of batch norm for weights that were not trained with: averages of those that were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from study.workloads.inputs import Inputs, forward


class Forward(nn.Module):
    """The model, called with one value: also with several inputs, as a tuple or a dict."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Inputs) -> Any:
        """The model's outputs."""
        return forward(self.model, x)


@contextmanager
def statistics_of(model: nn.Module, batches: Iterable[Inputs]) -> Iterator[None]:
    """Estimate the statistics of batch norm anew, for the present weights; afterwards they are as before.

    batches: inputs to estimate them from. Only read if the model has batch norm.
    """
    if not any(getattr(module, "running_mean", None) is not None for module in model.modules()):
        yield
        return
    kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.no_grad():
        update_bn(((x,) for x in batches), Forward(model))
    try:
        yield
    finally:
        for name, buffer in model.named_buffers():
            buffer.copy_(kept[name])
