from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces.errors import require
from search_spaces.families.cycles import fit_cycles
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Integer
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class WarmRestarts(Schedule):
    """Cosine annealing with warm restarts (SGDR), ending at a minimum.

    lr(s) = floor + (peak_lr - floor) * (1 + cos(pi * t / L)) / 2

    s is the step within the body (the run without its warm-up); t is the step within the current cycle, from 0; L is
    the length of that cycle: T_0 for the first, then t_mult times the previous one. floor = floor_ratio * peak_lr.
    T_0 is the smallest value for which `cycles` cycles cover the body; short runs have fewer cycles (see `fit_cycles`).

    Ranges: SGDR (Loshchilov & Hutter 2017) uses T_mult 1 and 2, with two to five cycles per run.
    """

    family = "warm_restarts"
    torch_class = Imported("torch.optim.lr_scheduler:CosineAnnealingWarmRestarts")
    ends_at_last_step = True
    space = {"cycles": Integer(2, 5), "t_mult": Choice((1, 2))}

    cycles: int = 3
    """Number of cycles, at least 1."""
    t_mult: int = 1
    """Length of each cycle divided by that of the previous one, at least 1."""
    floor_ratio: float = 0.0
    """The lowest learning rate as a fraction of the peak, at least 0 and below 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.cycles >= 1, "cycles must be at least 1", self.cycles)
        require(self.t_mult >= 1, "t_mult must be at least 1", self.t_mult)
        require(0 <= self.floor_ratio < 1, "floor_ratio must be at least 0 and below 1", self.floor_ratio)

    def arguments(self, steps: int) -> dict[str, Any]:
        _, first_length = fit_cycles(steps, self.cycles, self.t_mult)
        return {"T_0": first_length, "T_mult": self.t_mult, "eta_min": self.floor_ratio * self.peak_lr}

    def body(self, steps: int) -> Any:
        count, first_length = fit_cycles(steps, self.cycles, self.t_mult)
        lengths = [first_length * self.t_mult**cycle for cycle in range(count)]
        share = np.concatenate([np.arange(length) / length for length in lengths])[:steps]
        floor = self.floor_ratio * self.peak_lr
        return floor + (self.peak_lr - floor) * (1 + np.cos(np.pi * share)) / 2
