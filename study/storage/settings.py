"""The part of a study's stored configuration that analysis and reports need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.distributions import range_from_json
from search_spaces.ranges import Range
from study.objective import Unit
from study.storage.record_format import sampler_named
from study.storage.typed import as_tuple


@dataclass(frozen=True)
class Settings:
    """What a study searches, on which workload, and how.

    unit: what budgets count, where epochs are named too. budgets: epochs of each run of a trial, ascending; the last
    is `epochs`, the full run. space: the range of every parameter. startup_trials: drawn before the sampler models
    anything. enqueued: the parameters of the trials that the study begins with, in order. own_training: the function or
    the command, if the user's own training was searched; dataset, model, optimizer, weight decay and batch size are its
    own affair then, and empty here. averaging_fraction: of the run, over which weights are averaged; None if they are
    not.
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
    unit: Unit = "epochs"
    own_training: str | None = None
    averaging_fraction: float | None = None

    @property
    def one(self) -> str:
        """The name of one unit: epoch or step."""
        return self.unit.removesuffix("s")

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Settings:
        """The settings of a stored configuration."""
        return cls(
            dataset=stored.get("dataset", ""),
            model=stored.get("model", ""),
            optimizer=stored.get("optimizer", ""),
            weight_decay=float(stored.get("weight_decay", 0)),
            batch_size=int(stored.get("batch_size", 0)),
            device=stored.get("device", "cpu"),
            epochs=int(stored.get("steps") or stored["epochs"]),
            unit="steps" if stored.get("steps") else "epochs",
            budgets=as_tuple(stored["horizons"]),
            families=as_tuple(stored["families"]),
            space={name: range_from_json(searched) for name, searched in stored["space"].items()},
            sampler=sampler_named(stored["sampler"]),
            sampler_seed=int(stored["sampler_seed"]),
            startup_trials=int(stored["startup_trials"]),
            pruner=stored["pruner"],
            reduction=int(stored["reduction"]),
            enqueued=as_tuple(stored.get("enqueued", ())),
            own_training=stored.get("train") or stored.get("command"),
            averaging_fraction=stored.get("averaging_fraction"),
        )
