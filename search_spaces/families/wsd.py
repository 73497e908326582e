import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.errors import require, unknown
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Float
from search_spaces.schedule import Schedule

SHAPES = ("linear", "1-sqrt", "cosine")


def wsd(step: int, stable: int, cooldown: int, shape: str) -> float:
    """Learning rate at `step`, as a fraction of the peak."""
    p = max(0.0, (step - stable) / cooldown)
    if shape == "linear":
        return 1 - p
    if shape == "1-sqrt":
        return 1 - math.sqrt(p)
    return (1 + math.cos(math.pi * p)) / 2


@dataclass(frozen=True, kw_only=True)
class WSD(Schedule):
    """Warm-up, stable, decay: a constant learning rate with a cool-down at the end.

    lr(s) = peak_lr * fraction(p)

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    p = max(0, (s - (N - C)) / C) is the completed fraction of the cool-down; its length is C = cooldown_fraction * N,
    rounded, at least 1. By `shape`, fraction(p) is 1 - p (linear), 1 - sqrt(p) (1-sqrt) or
    (1 + cos(pi * p)) / 2 (cosine).

    Ranges: Hagele 2024 cool down over 5 to 20 % of the run and find 1-sqrt best; transformers provides it as
    get_wsd_schedule.
    """

    family = "wsd"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")
    space = {
        "cooldown_fraction": Float(0.05, 0.6),
        "shape": Choice(SHAPES),
    }

    cooldown_fraction: float = 0.2
    """Length of the cool-down as a fraction of the body, above 0 and at most 1."""
    shape: str = "1-sqrt"
    """linear, 1-sqrt or cosine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.cooldown_fraction <= 1, "cooldown_fraction must be above 0, at most 1", self.cooldown_fraction)
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES)

    def arguments(self, steps: int) -> dict[str, Any]:
        cooldown = max(1, round(self.cooldown_fraction * steps))
        return {"lr_lambda": partial(wsd, stable=steps - cooldown, cooldown=cooldown, shape=self.shape)}

    def extendable(self, steps: int) -> int:
        """Until the cool-down."""
        return int(self.arguments(steps)["lr_lambda"].keywords["stable"])

    def body(self, steps: int) -> Any:
        given = self.arguments(steps)["lr_lambda"].keywords
        p = np.maximum(0.0, (np.arange(steps) - given["stable"]) / given["cooldown"])
        shares = {"linear": 1 - p, "1-sqrt": 1 - np.sqrt(p), "cosine": (1 + np.cos(np.pi * p)) / 2}
        return self.peak_lr * shares[self.shape]
