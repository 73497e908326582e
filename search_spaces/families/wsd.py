import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from search_spaces.errors import InputError, require, unknown
from search_spaces.imported import Imported
from search_spaces.ranges import Choice, Domain, Either, Float, draw_parameter
from search_spaces.schedule import Schedule

SEARCHED = ("linear", "1-sqrt", "cosine")
SHAPES = (*SEARCHED, "power")


def wsd(step: int, stable: int, cooldown: int, shape: str, floor: float, power: float) -> float:
    """Learning rate at `step`, as a fraction of the peak."""
    p = max(0.0, (step - stable) / cooldown)
    fraction = 1 - p
    if shape == "1-sqrt":
        fraction = 1 - math.sqrt(p)
    if shape == "cosine":
        fraction = (1 + math.cos(math.pi * p)) / 2
    if shape == "power":
        fraction = 1 - math.pow(p, power)
    return floor + (1 - floor) * fraction


@dataclass(frozen=True, kw_only=True)
class WSD(Schedule):
    """Warm-up, stable, decay: a constant learning rate with a cool-down at the end.

    lr(s) = peak_lr * (floor_ratio + (1 - floor_ratio) * fraction(p))

    s is the step within the body (the run without its warm-up), from 0 to N - 1; N is the number of steps of the body.
    p = max(0, (s - (N - C)) / C) is the completed fraction of the cool-down; its length is C = cooldown_fraction * N,
    rounded, at least 1. By `shape`, fraction(p) is 1 - p (linear), 1 - sqrt(p) (1-sqrt), (1 + cos(pi * p)) / 2
    (cosine) or 1 - p ** power (power).

    The shape power, floor_ratio and power are searched only if a space file names them.

    Ranges: Hagele 2024 cool down over 5 to 20 % of the run and find 1-sqrt best; transformers provides it as
    get_wsd_schedule. timm has powers too: 0.5 is 1-sqrt, 1 is linear. Language models often end at 0.1 of the peak,
    modded-nanogpt at 0.15.
    """

    family = "wsd"
    torch_class = Imported("torch.optim.lr_scheduler:LambdaLR")
    space = {
        "cooldown_fraction": Float(0.05, 0.6),
        "shape": Choice(SEARCHED),
    }
    on_request = {
        "floor_ratio": Either(0.0, Float(0.01, 0.3, log=True)),
        "power": Float(0.25, 2.0, log=True),
    }

    cooldown_fraction: float = 0.2
    """Length of the cool-down as a fraction of the body, above 0 and at most 1."""
    shape: str = "1-sqrt"
    """linear, 1-sqrt, cosine or power."""
    floor_ratio: float = 0.0
    """The final learning rate as a fraction of the peak, at least 0 and below 1."""
    power: float = 0.5
    """power only: the exponent of the completed fraction of the cool-down, above 0 and at most 10."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.cooldown_fraction <= 1, "cooldown_fraction must be above 0, at most 1", self.cooldown_fraction)
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES)
        require(0 <= self.floor_ratio < 1, "floor_ratio must be at least 0 and below 1", self.floor_ratio)
        require(0 < self.power <= 10, "power must be above 0, at most 10", self.power)

    @classmethod
    def suggest(cls, trial: Any, domains: Mapping[str, Domain]) -> dict[str, Any]:
        # Only the shape power uses it: a trial should not record a parameter that had no effect.
        others = {name: domain for name, domain in domains.items() if name != "wsd.power"}
        shape = domains["wsd.shape"]
        if "wsd.power" in domains and isinstance(shape, Choice) and "power" not in shape.options:
            raise InputError("power is searched only with shape power: add it to shape")
        chosen = super().suggest(trial, others)
        if chosen["shape"] == "power" and "wsd.power" in domains:
            chosen["power"] = draw_parameter(trial, "wsd.power", domains["wsd.power"])
        return chosen

    def effective(self) -> list[str]:
        own = [name for name in super().effective() if name != "power"]
        return [*own, "power"] if self.shape == "power" else own

    def arguments(self, steps: int) -> dict[str, Any]:
        cooldown = max(1, round(self.cooldown_fraction * steps))
        shape: dict[str, Any] = {"shape": self.shape, "floor": self.floor_ratio, "power": self.power}
        return {"lr_lambda": partial(wsd, stable=steps - cooldown, cooldown=cooldown, **shape)}

    def extendable(self, steps: int) -> int:
        """Until the cool-down."""
        return int(self.arguments(steps)["lr_lambda"].keywords["stable"])

    def body(self, steps: int) -> Any:
        given = self.arguments(steps)["lr_lambda"].keywords
        p = np.maximum(0.0, (np.arange(steps) - given["stable"]) / given["cooldown"])
        shares = {
            "linear": 1 - p,
            "1-sqrt": 1 - np.sqrt(p),
            "cosine": (1 + np.cos(np.pi * p)) / 2,
            "power": 1 - p**self.power,
        }
        return self.peak_lr * (self.floor_ratio + (1 - self.floor_ratio) * shares[self.shape])
