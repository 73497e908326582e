from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.imported import Imported
from search_spaces.ranges import Float, Integer
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class MultiStep(Schedule):
    """A long stretch at the peak, then drops by gamma, spread evenly over the rest.

    lr(s) = peak_lr * gamma ** passed(s)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    passed(s) is the number of milestones up to and including s. The milestones are the steps
    N * (f + (1 - f) * i / drops), rounded, at least 1, with i = 0 .. drops - 1 and f = first_drop_fraction.

    Ranges: ResNets are trained with drops by a factor of 10 after 1/2 and 3/4 (CIFAR, He 2016) or 1/3 and 2/3
    (ImageNet) of the run.
    """

    family = "multistep"
    torch_class = Imported("torch.optim.lr_scheduler:MultiStepLR")
    space = {
        "first_drop_fraction": Float(0.3, 0.8),
        "drops": Integer(1, 4),
        "gamma": Float(0.1, 0.7, log=True),
    }

    first_drop_fraction: float = 0.5
    """Position of the first drop as a fraction of the body, above 0 and below 1."""
    drops: int = 2
    """Number of drops, at least 1."""
    gamma: float = 0.1
    """Factor at each drop, above 0 and at most 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        first = self.first_drop_fraction
        require(0 < first < 1, "first_drop_fraction must be above 0 and below 1", first)
        require(self.drops >= 1, "drops must be at least 1", self.drops)
        require(0 < self.gamma <= 1, "gamma must be above 0, at most 1", self.gamma)

    def arguments(self, steps: int) -> dict[str, Any]:
        first = self.first_drop_fraction
        milestones = [max(1, round(steps * (first + (1 - first) * i / self.drops))) for i in range(self.drops)]
        return {"milestones": milestones, "gamma": self.gamma}

    def extendable(self, steps: int) -> int:
        """Until the first drop."""
        return min(steps, int(self.arguments(steps)["milestones"][0]))

    def body(self, steps: int) -> Any:
        passed = np.searchsorted(self.arguments(steps)["milestones"], np.arange(steps), side="right")
        return self.peak_lr * self.gamma**passed
