from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Polynomial(Schedule):
    """Polynomial decay to zero.

    lr(s) = peak_lr * (1 - s / N) ** power

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.

    Range: Keras, transformers and timm default to power 1 (linear); segmentation models use 0.9, others 2. With a power
    below 1 the learning rate stays high and falls late.
    """

    family = "polynomial"
    torch_class = Imported("torch.optim.lr_scheduler:PolynomialLR")
    space = {"power": Float(0.5, 4.0, log=True)}

    power: float = 2.0
    """Exponent of the decay, above 0 and at most 100."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.power <= 100, "power must be above 0, at most 100", self.power)

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"total_iters": steps, "power": self.power}

    def body(self, steps: int) -> Any:
        return self.peak_lr * (1 - np.arange(steps) / steps) ** self.power
