import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule


def inverse_sqrt(step: int, timescale: float) -> float:
    """Learning rate at `step`, as a fraction of the peak."""
    return math.sqrt(timescale / max(step, timescale))


@dataclass(frozen=True, kw_only=True)
class InverseSqrt(Schedule):
    """Inverse square root: constant for the timescale S, then proportional to 1 / sqrt(step).

    lr(s) = peak_lr * sqrt(S / max(s, S))

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    S = timescale_fraction * N, not rounded.

    Range: the Noam schedule (Vaswani 2017) and transformers' get_inverse_sqrt_schedule use the length of the warm-up
    (4,000 of 100,000 steps) as the timescale.
    """

    family = "inverse_sqrt"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")
    space = {"timescale_fraction": Float(0.01, 0.3, log=True)}

    timescale_fraction: float = 0.04
    """Length of the constant part as a fraction of the body, above 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            0 < self.timescale_fraction <= 1, "timescale_fraction must be above 0, at most 1", self.timescale_fraction
        )

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"lr_lambda": partial(inverse_sqrt, timescale=self.timescale_fraction * steps)}

    def body(self, steps: int) -> Any:
        timescale = self.arguments(steps)["lr_lambda"].keywords["timescale"]
        return self.peak_lr * np.sqrt(timescale / np.maximum(np.arange(steps), timescale))
