"""What a model is given: a tensor, or several by position or by name, as a tuple or a dict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Any
"""A tensor, or a tuple or dict of these."""


def forward(model: nn.Module, x: Inputs) -> Any:
    """The model's outputs: a tuple becomes its positional arguments, a dict its keyword arguments."""
    if isinstance(x, Mapping):
        return model(**x)
    return model(*x) if isinstance(x, tuple | list) else model(x)


def mapped(x: Inputs, function: Callable[[Tensor], Any]) -> Any:
    """The same structure with the function applied to each tensor.

    >>> mapped({"a": (torch.ones(2), torch.ones(3))}, len)
    {'a': (2, 3)}
    """
    if isinstance(x, Mapping):
        return {name: mapped(part, function) for name, part in x.items()}
    if isinstance(x, tuple | list):
        return tuple(mapped(part, function) for part in x)
    return function(x)


def tensors_in(x: Inputs) -> Iterator[Tensor]:
    """All tensors, in order."""
    if isinstance(x, Mapping | tuple | list):
        for part in x.values() if isinstance(x, Mapping) else x:
            yield from tensors_in(part)
    elif isinstance(x, Tensor):
        yield x


def joined(parts: Sequence[Any]) -> Any:
    """Outputs of several batches as those of one: tensors of the same place, one after the other."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: joined([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple | list):
        return tuple(joined(some) for some in zip(*parts, strict=True))
    return torch.cat(list(parts)) if isinstance(first, Tensor) else first


def shapes(x: Inputs) -> Any:
    """The shape of one example, without the rows; for several inputs a tuple or dict of shapes."""
    return mapped(x, lambda tensor: tuple(tensor.shape[1:]))


def described_inputs(x: Inputs) -> str:
    """Shapes and types, for messages.

    >>> described_inputs(torch.ones(5, 3)), described_inputs({"ids": torch.ones(5).long()})
    ('shape (3,), float32', 'ids: shape (), int64')
    """
    if isinstance(x, Mapping):
        return "; ".join(f"{name}: {described_inputs(part)}" for name, part in x.items())
    if isinstance(x, tuple | list):
        return "; ".join(map(described_inputs, x))
    return f"shape {tuple(x.shape[1:])}, {str(x.dtype).removeprefix('torch.')}"
