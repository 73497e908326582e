from dataclasses import dataclass
from typing import Any

from search_spaces.errors import require, unknown
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Float
from search_spaces.schedule import Schedule

STRATEGIES = ("cos", "linear")


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """One cycle: a long rise to the peak, then a fall to far below the start.

    lr(s) = low + (peak_lr - low) * bend(p)

    s is the step of the run, from 0 to N - 1; N is the number of its steps. The peak is at the step
    R = pct_start * N, rounded, at least 1 and at most N - 2. Up to it, low = peak_lr / div_factor and p = s / R; after
    it, low = end_ratio * peak_lr and p = (N - 1 - s) / (N - 1 - R).
    bend(p) is p (linear) or (1 - cos(pi * p)) / 2 (cos).
    With cycle_momentum, momentum (beta1 in Adam) moves from 0.95 to 0.85 and back against the rate, torch's defaults.

    Ranges: Smith 2018; fastai rises over a quarter of the run from a 25th of the peak, torch over 0.3.
    """

    family = "one_cycle"
    torch_class = Imported("torch.optim.lr_scheduler:OneCycleLR")
    has_own_warmup = True
    least_steps = 3
    space = {
        "pct_start": Float(0.05, 0.5),
        "div_factor": Float(2.0, 100.0, log=True),
        "end_ratio": Float(1e-5, 0.1, log=True),
        "anneal_strategy": Choice(STRATEGIES),
        "cycle_momentum": Choice((True, False)),
    }

    pct_start: float = 0.25
    """Share of the run spent rising, above 0 and below 1."""
    div_factor: float = 25.0
    """The peak divided by the first rate, from 1 to 1e12."""
    end_ratio: float = 1e-4
    """The last rate as a share of the peak, from 1e-12 to 1."""
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
        # torch puts the peak at pct_start * total_steps - 1: a whole step, so that the peak is reached, and never
        # step 0, where it would divide by zero.
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
