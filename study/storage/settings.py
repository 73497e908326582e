"""What a study searches, on what, and how: the part of its stored configuration that numbers and reports need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.distributions import range_from_json
from search_spaces.ranges import Range


@dataclass(frozen=True)
class Settings:
    """What a study searches, on what, and how, as far as the numbers and the reports need it.

    budgets: epochs of each run of a trial, ascending; the last is `epochs`, the full run. space: the range of every
    parameter. startup_trials: drawn before the sampler models anything. enqueued: the parameters of the trials that the
    study was given to begin with, in order.
    """

    dataset: str
    model: str
    optimizer: str
    weight_decay: float
    batch_size: int
    device: str
    epochs: int
    budgets: tuple[int, ...]
    families: tuple[str, ...]
    space: Mapping[str, Range]
    sampler: str
    sampler_seed: int
    startup_trials: int
    pruner: str
    reduction: int
    enqueued: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Settings:
        """The settings of a stored configuration."""
        return cls(
            dataset=stored["dataset"],
            model=stored["model"],
            optimizer=stored["optimizer"],
            weight_decay=float(stored["weight_decay"]),
            batch_size=int(stored["batch_size"]),
            device=stored.get("device", "cpu"),
            epochs=int(stored["epochs"]),
            budgets=tuple(int(budget) for budget in stored["horizons"]),
            families=tuple(stored["families"]),
            space={name: range_from_json(searched) for name, searched in stored["space"].items()},
            sampler=stored["sampler"],
            sampler_seed=int(stored["sampler_seed"]),
            startup_trials=int(stored["startup_trials"]),
            pruner=stored["pruner"],
            reduction=int(stored["reduction"]),
            enqueued=tuple(stored.get("enqueued", ())),
        )
