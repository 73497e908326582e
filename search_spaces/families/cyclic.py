from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require, unknown
from search_spaces.families.cycles import fit_cycles
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Domain, Float, Integer, draw_parameter
from search_spaces.schedule import Schedule

MODES = ("triangular", "triangular2", "exp_range")


@dataclass(frozen=True, kw_only=True)
class Cyclic(Schedule):
    """Cyclical learning rates: linear up and down between a base and the peak, ending at the base.

    lr(s) = base + (max_lr - base) * triangle(s) * scale(s)

    s is the step of the run, from 0 to N - 1; N is the number of steps of the run. base = base_ratio * peak_lr.
    triangle(s) is a linear rise from 0 to 1 and fall back to 0, once per cycle. scale(s) is 1 (triangular), a factor
    that starts at 1 and halves after each cycle (triangular2), or end_amplitude ** (s / N) (exp_range).
    max_lr is peak_lr; in exp_range it is higher, so that the highest learning rate of the run is peak_lr.
    With cycle_momentum, momentum (beta1 in Adam) moves opposite to the learning rate, between 0.9 and 0.8 (torch's
    defaults).

    Ranges: Smith 2017 cycles a few times per run, from a base between a quarter and a tenth of the peak.
    """

    family = "cyclic"
    torch_class = Imported("torch.optim.lr_scheduler:CyclicLR")
    has_own_warmup = True
    ends_at_last_step = True
    least_steps = 2
    space = {
        "cycles": Integer(2, 8),
        "base_ratio": Float(0.01, 0.5, log=True),
        "mode": Choice(MODES),
        "end_amplitude": Float(0.01, 0.5, log=True),
        "cycle_momentum": Choice((True, False)),
    }

    cycles: int = 4
    """Number of cycles, at least 1."""
    base_ratio: float = 0.1
    """The lowest learning rate as a fraction of the peak, above 0 and below 1."""
    mode: str = "triangular"
    """triangular, triangular2 or exp_range."""
    end_amplitude: float = 0.1
    """exp_range only: the final amplitude as a fraction of the initial one, from 1e-12 to 1."""
    cycle_momentum: bool = False
    """Whether momentum is cycled too; requires an optimizer with momentum or betas."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.cycles >= 1, "cycles must be at least 1", self.cycles)
        require(0 < self.base_ratio < 1, "base_ratio must be above 0 and below 1", self.base_ratio)
        require(1e-12 <= self.end_amplitude <= 1, "end_amplitude must be at least 1e-12, at most 1", self.end_amplitude)
        if self.mode not in MODES:
            raise unknown("mode", self.mode, MODES)

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        # Only exp_range uses end_amplitude: a trial should not record a parameter that had no effect.
        names = [name for name in cls.space if name != "end_amplitude"]
        chosen = {name: draw_parameter(trial, f"cyclic.{name}", domains[f"cyclic.{name}"]) for name in names}
        if chosen["mode"] == "exp_range":
            chosen["end_amplitude"] = draw_parameter(trial, "cyclic.end_amplitude", domains["cyclic.end_amplitude"])
        return chosen

    def effective(self) -> list[str]:
        return [name for name in self.space if name != "end_amplitude" or self.mode == "exp_range"]

    def arguments(self, steps: int) -> dict[str, Any]:
        _, length = fit_cycles(steps, self.cycles)
        up = max(1, length // 2)
        base_lr, max_lr, gamma = self.base_ratio * self.peak_lr, self.peak_lr, 1.0
        if self.mode == "exp_range":
            gamma = self.end_amplitude ** (1 / steps)
            max_lr = base_lr + (self.peak_lr - base_lr) / max(s / up * gamma**s for s in range(1, up + 1))
        momentum = {"base_momentum": 0.8, "max_momentum": 0.9} if self.cycle_momentum else {}
        return {
            "base_lr": base_lr,
            "max_lr": max_lr,
            "step_size_up": up,
            "step_size_down": max(1, length - up),
            "mode": self.mode,
            "gamma": gamma,
            "cycle_momentum": self.cycle_momentum,
            **momentum,
        }

    def body(self, steps: int) -> Any:
        given, step = self.arguments(steps), np.arange(steps)
        up, down = given["step_size_up"], given["step_size_down"]
        cycle, at = np.divmod(step, up + down)
        triangle = np.where(at <= up, at / up, (up + down - at) / down)
        scales = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": given["gamma"] ** step}
        return given["base_lr"] + (given["max_lr"] - given["base_lr"]) * triangle * scales[self.mode]
