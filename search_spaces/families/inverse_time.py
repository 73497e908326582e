from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Float
from search_spaces.schedule import Schedule


def inverse_time(step: int, decay_rate: float, power: float) -> float:
    """Learning rate at `step`, as a fraction of the peak."""
    return float(1 / (1 + decay_rate * step) ** power)


@dataclass(frozen=True, kw_only=True)
class InverseTime(Schedule):
    """Inverse-time decay: asymptotically proportional to 1 / step ** power.

    lr(s) = peak_lr / (1 + k * s) ** power

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    k = (end_ratio ** (-1 / power) - 1) / N, so that lr(N) would be end_ratio * peak_lr.

    Ranges: Keras's InverseTimeDecay has power 1, as in Robbins and Monro (1951); 0.5 is the power of convex online
    learning, and 2 the fastest decay in textbooks.
    """

    family = "inverse_time"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")
    space = {
        "end_ratio": Float(1e-3, 0.5, log=True),
        "power": Choice((0.5, 1.0, 2.0)),
    }

    end_ratio: float = 0.01
    """The final learning rate as a fraction of the peak, from 1e-12 to 1."""
    power: float = 1.0
    """Exponent of the decay, above 0 and at most 100."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1e-12 <= self.end_ratio <= 1, "end_ratio must be at least 1e-12, at most 1", self.end_ratio)
        require(0 < self.power <= 100, "power must be above 0, at most 100", self.power)

    def arguments(self, steps: int) -> dict[str, Any]:
        decay_rate = (self.end_ratio ** (-1 / self.power) - 1) / steps
        return {"lr_lambda": partial(inverse_time, decay_rate=decay_rate, power=self.power)}

    def body(self, steps: int) -> Any:
        decay_rate = self.arguments(steps)["lr_lambda"].keywords["decay_rate"]
        return self.peak_lr / (1 + decay_rate * np.arange(steps)) ** self.power
