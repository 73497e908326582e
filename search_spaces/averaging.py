"""An exponential moving average of a model's weights. Exported code quotes it."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch.optim.swa_utils import AveragedModel


def averaged_model(model: torch.nn.Module, total_steps: int, averaging_fraction: float) -> AveragedModel:
    """The exponential moving average of the model in a run of `total_steps` optimizer steps.

    Call its update_parameters(model) after every optimizer step; the first call copies the model. averaging_fraction:
    of the run, after which weights count 1/e of what they did. The statistics of batch norm are averaged too. It can
    be pickled if the model can.
    """
    next_average = partial(moved_towards, decay=ema_decay(total_steps, averaging_fraction))
    return AveragedModel(model, avg_fn=next_average, use_buffers=True)


def ema_decay(total_steps: int, averaging_fraction: float) -> float:
    """What a step leaves of the weight of each earlier one."""
    return math.exp(-1 / (averaging_fraction * total_steps))


def moved_towards(average: torch.Tensor, value: torch.Tensor, _: object = None, *, decay: float) -> torch.Tensor:
    """The next average; for whole numbers the value itself, because torch's own average would round them down.

    Torch also passes how many values the average has had; the next one does not depend on it.
    """
    real = value.is_floating_point() or value.is_complex()
    return average.lerp(value, 1 - decay) if real else value
