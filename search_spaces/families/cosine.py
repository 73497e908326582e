import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from search_spaces.errors import InputError, require
from search_spaces.imported import Imported
from search_spaces.ranges import Domain, Either, Float, draw_parameter
from search_spaces.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Cosine annealing. If T_max is shorter than the body, the learning rate rises again after T_max, as in torch.

    lr(s) = floor + (peak_lr - floor) * (1 + cos(pi * s / T_max)) / 2

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    floor = floor_ratio * peak_lr. T_max = t_max_fraction * N, rounded, at least 1.

    A T_max shorter than the body requires a floor above 0: otherwise the learning rate would be 0 at step T_max.

    Ranges: SGDR (Loshchilov & Hutter 2017) anneals to 0 over the whole run; floors of 1 to 10 % are common.
    """

    family = "cosine"
    torch_class = Imported("torch.optim.lr_scheduler:CosineAnnealingLR")
    space = {
        "t_max_fraction": Either(1.0, Float(0.5, 1.0)),
        "floor_ratio": Either(0.0, Float(1e-4, 0.3, log=True)),
    }

    t_max_fraction: float = 1.0
    """T_max, half the period, as a fraction of the body, above 0 and at most 1."""
    floor_ratio: float = 0.0
    """The lowest learning rate as a fraction of the peak, at least 0 and below 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.t_max_fraction <= 1, "t_max_fraction must be above 0, at most 1", self.t_max_fraction)
        require(0 <= self.floor_ratio < 1, "floor_ratio must be at least 0 and below 1", self.floor_ratio)
        if self.t_max_fraction < 1 and not self.floor_ratio:
            raise InputError(
                f"cosine with t_max_fraction={self.t_max_fraction} reaches its lowest learning rate inside the run: "
                "set floor_ratio above 0, or t_max_fraction to 1"
            )

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        t_max_fraction = draw_parameter(trial, "cosine.t_max_fraction", domains["cosine.t_max_fraction"])
        floor = domains["cosine.floor_ratio"]
        above_zero = floor.otherwise if isinstance(floor, Either) else floor
        floor_ratio = draw_parameter(trial, "cosine.floor_ratio", floor if t_max_fraction == 1 else above_zero)
        return {"t_max_fraction": t_max_fraction, "floor_ratio": floor_ratio}

    def arguments(self, steps: int) -> dict[str, Any]:
        return {"T_max": max(1, round(self.t_max_fraction * steps)), "eta_min": self.floor_ratio * self.peak_lr}

    def body(self, steps: int) -> Any:
        t_max, floor = self.arguments(steps).values()
        step = np.arange(min(steps, t_max + 1))
        annealed = floor + (self.peak_lr - floor) * (1 + np.cos(np.pi * step / t_max)) / 2
        return np.concatenate([annealed, self.rates_after_t_max(t_max, floor, steps)])

    def rates_after_t_max(self, t_max: int, floor: float, steps: int) -> list[float]:
        """The rates of the steps after T_max, each computed from the one before, as torch does.

        Torch's rounding error grows there with the square of T_max: in runs of 1,000 steps it exceeds 1e-12.
        """
        rates = []
        for lowest in range(t_max, steps - 1, 2 * t_max):
            lr = floor + (self.peak_lr - floor) * (1 - math.cos(math.pi / t_max)) / 2
            rates.append(lr)
            period = range(lowest + 1, min(lowest + 2 * t_max + 1, steps))
            for before, now in pairwise(1 + math.cos(math.pi * step / t_max) for step in period):
                lr = now / before * (lr - floor) + floor
                rates.append(lr)
        return rates
