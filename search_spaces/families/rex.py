from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.imported import Imported
from search_spaces.schedule import Schedule


def rex(step: int, steps: int) -> float:
    """Learning rate at `step`, as a fraction of the peak."""
    p = step / steps
    return (1 - p) / (1 - p / 2)


@dataclass(frozen=True, kw_only=True)
class REX(Schedule):
    """REX, the reflected exponential: stays high and falls to zero late.

    lr(s) = peak_lr * (1 - p) / (1 - p / 2)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    p = s / N.

    It has no parameter but the peak (Chen 2022, "REX: Revisiting Budgeted Training with an Improved Schedule").
    """

    family = "rex"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"lr_lambda": partial(rex, steps=steps)}

    def body(self, steps: int) -> Any:
        return self.peak_lr * self.arguments(steps)["lr_lambda"](np.arange(steps))
