from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """Exponential decay: the same factor at every step.

    lr(s) = peak_lr * end_ratio ** (s / N) = peak_lr * exp(-k * s)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    k = -ln(end_ratio) / N, so torch's gamma is exp(-k).

    Range: from almost no decay to four orders of magnitude over the run.
    """

    family = "exponential"
    torch_class = Imported("torch.optim.lr_scheduler:ExponentialLR")
    space = {"end_ratio": Float(1e-4, 0.5, log=True)}

    end_ratio: float = 0.01
    """The final learning rate as a fraction of the peak, from 1e-12 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(1e-12 <= self.end_ratio <= 1, "end_ratio must be at least 1e-12, at most 1", self.end_ratio)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"gamma": self.end_ratio ** (1 / steps)}

    def body(self, steps: int) -> Any:
        return self.peak_lr * self.arguments(steps)["gamma"] ** np.arange(steps)
