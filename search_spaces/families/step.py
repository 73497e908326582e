from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """Step decay: multiply by gamma at regular intervals.

    lr(s) = peak_lr * gamma ** floor(s / S)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    S = step_size_fraction * N, rounded, at least 1.

    Ranges: SGDR's baseline (Loshchilov & Hutter 2017) multiplies by 0.2 at 60, 120 and 160 of 200 epochs; torch's
    default for gamma is 0.1.
    """

    family = "step"
    torch_class = Imported("torch.optim.lr_scheduler:StepLR")
    space = {
        "step_size_fraction": Float(0.2, 0.5),
        "gamma": Float(0.1, 0.7, log=True),
    }

    step_size_fraction: float = 0.3
    """Steps between drops as a fraction of the body, above 0 and at most 1."""
    gamma: float = 0.1
    """Factor at each drop, above 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            0 < self.step_size_fraction <= 1, "step_size_fraction must be above 0, at most 1", self.step_size_fraction
        )
        require(0 < self.gamma <= 1, "gamma must be above 0, at most 1", self.gamma)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"step_size": max(1, round(self.step_size_fraction * steps)), "gamma": self.gamma}

    def extendable(self, steps: int) -> int:
        """Until the first drop."""
        return min(steps, int(self.arguments(steps)["step_size"]))

    def body(self, steps: int) -> Any:
        drops = np.arange(steps) // self.arguments(steps)["step_size"]
        return self.peak_lr * self.gamma**drops
