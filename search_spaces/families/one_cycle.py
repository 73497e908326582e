from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require, unknown
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Float
from search_spaces.schedule import Schedule

STRATEGIES = ("cos", "linear")


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """One cycle: a long rise to the peak, then a decay to far below the initial learning rate.

    lr(s) = low + (peak_lr - low) * bend(p)

    s is the step of the run, from 0 to N - 1; N is the number of steps of the run. The peak is at the step
    R = pct_start * N, rounded, at least 1 and at most N - 2. For s <= R, low = peak_lr / div_factor and p = s / R; for
    s > R, low = end_ratio * peak_lr and p = (N - 1 - s) / (N - 1 - R).
    bend(p) is p (linear) or (1 - cos(pi * p)) / 2 (cos).
    With cycle_momentum, momentum (beta1 in Adam) moves opposite to the learning rate, from 0.95 to 0.85 and back
    (torch's defaults).

    Ranges: Smith 2018. fastai starts at 1/25 of the peak and rises over 0.25 of the run; torch rises over 0.3.
    """

    family = "one_cycle"
    torch_class = Imported("torch.optim.lr_scheduler:OneCycleLR")
    has_own_warmup = True
    ends_at_last_step = True
    least_steps = 3
    space = {
        "pct_start": Float(0.05, 0.5),
        "div_factor": Float(2.0, 100.0, log=True),
        "end_ratio": Float(1e-5, 0.1, log=True),
        "anneal_strategy": Choice(STRATEGIES),
        "cycle_momentum": Choice((True, False)),
    }

    pct_start: float = 0.25
    """Fraction of the run spent rising, above 0 and below 1."""
    div_factor: float = 25.0
    """The peak divided by the initial learning rate, from 1 to 1e12."""
    end_ratio: float = 1e-4
    """The final learning rate as a fraction of the peak, from 1e-12 to 1."""
    anneal_strategy: str = "cos"
    """cos or linear."""
    cycle_momentum: bool = True
    """momentum moves too; needs an optimizer with momentum or betas."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.pct_start < 1, "pct_start must be above 0 and below 1", self.pct_start)
        require(1 <= self.div_factor <= 1e12, "div_factor must be at least 1, at most 1e12", self.div_factor)
        require(1e-12 <= self.end_ratio <= 1, "end_ratio must be at least 1e-12, at most 1", self.end_ratio)
        if self.anneal_strategy not in STRATEGIES:
            raise unknown("anneal_strategy", self.anneal_strategy, STRATEGIES)

    def arguments(self, steps: int) -> dict[str, Any]:
        # torch puts the peak at pct_start * total_steps - 1. Make that an integer, so that the peak is reached, and not
        # 0, where torch would divide by zero.
        rise = min(max(1, round(self.pct_start * steps)), steps - 2)
        momentum = {"base_momentum": 0.85, "max_momentum": 0.95} if self.cycle_momentum else {}
        return {
            "max_lr": self.peak_lr,
            "total_steps": steps,
            "pct_start": (rise + 1) / steps,
            "anneal_strategy": self.anneal_strategy,
            "div_factor": self.div_factor,
            "final_div_factor": 1 / (self.end_ratio * self.div_factor),
            "cycle_momentum": self.cycle_momentum,
            **momentum,
        }

    def body(self, steps: int) -> Any:
        step, last = np.arange(steps), steps - 1
        top = round(self.arguments(steps)["pct_start"] * steps) - 1
        low = self.peak_lr * np.where(step <= top, 1 / self.div_factor, self.end_ratio)
        p = np.where(step <= top, step / top, (last - step) / (last - top))
        return low + (self.peak_lr - low) * (p if self.anneal_strategy == "linear" else (1 - np.cos(np.pi * p)) / 2)
