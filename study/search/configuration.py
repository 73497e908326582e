"""Configuration: what a study finds depends on it. A study is opened with an equal one, or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from search_spaces import space
from search_spaces.distributions import range_to_json
from search_spaces.errors import InputError, require, require_at_least
from search_spaces.groups import require_momentum
from search_spaces.space_file import corners
from study.search.plan import Plan
from study.search.pruners import horizons
from study.training.workload_check import check_fit
from study.workloads.user_code import sources
from study.workloads.workload import Workload

LONGEST_RUN = 10_000_000
"""Updates of a run. More are taken for a slip: when to look at a run is kept in memory, by the update."""


@dataclass(frozen=True)
class Configuration(Plan):
    """What is searched, on what, how, and how long a full run is."""

    epochs: int = 20
    """Length of a full run."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "epochs")
        super().__post_init__()

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Configuration:
        """The configuration of a study, from what `resolved` made of it."""
        own: dict[str, Any] = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        told_by_others = ("space", *(["dataset", "model"] if values.get("workload") else []))
        own = {name: value for name, value in own.items() if name not in told_by_others}
        own |= {name: tuple(value) for name, value in own.items() if isinstance(value, list)}
        return cls(**own)

    def horizons(self, steps_per_epoch: int) -> list[int]:
        """Epochs of each run of a trial, ascending, the last one the full run."""
        least_epochs = math.ceil(self.least_updates / steps_per_epoch)
        return horizons(self.rung_fractions if self.pruner == "horizon" else (), self.epochs, least_epochs)

    def generation_size(self, steps_per_epoch: int) -> int:
        """Trials whose fate is decided together: a batch, where all runs are full ones."""
        return self.trials_per_generation if len(self.horizons(steps_per_epoch)) > 1 else self.trials_per_batch

    def most_together(self, steps_per_epoch: int) -> int:
        """The most runs that are to be trained at a time: a batch, or those of a generation that go on."""
        return max(self.trials_per_batch, self.generation_size(steps_per_epoch) // self.reduction)

    def expected_epochs(self, steps_per_epoch: int) -> float:
        """What a trial costs, on average, if one in `reduction` goes on at each rung, and the audit takes its share."""
        horizons = self.horizons(steps_per_epoch)
        kept = [math.pow(self.reduction, -rung) for rung in range(len(horizons))]
        audited = self.audit * (1 - kept[-1]) * self.epochs
        return math.fsum(horizon * share for horizon, share in zip(horizons, kept, strict=True)) + audited

    @property
    def study_name(self) -> str:
        """The name of the study unless one is given."""
        pruner = "" if self.pruner == "horizon" else f"-{self.pruner}"
        return f"{self.subject}-{self.epochs}-epochs{pruner}"

    def make_workload(self, data_root: Path) -> Workload:
        """The workload, on the CPU; raises InputError where it cannot be made or its runs are too short to search."""
        workload = self.load_workload(data_root)
        self.check(workload)
        return workload

    def check(self, workload: Workload) -> None:
        """Raise InputError where the workload cannot be trained, or not with all schedules that may be drawn."""
        total_steps = self.epochs * workload.steps_per_epoch
        require(total_steps <= LONGEST_RUN, f"a run has {LONGEST_RUN:,} updates at most: lower --epochs", total_steps)
        check_fit(workload)
        shortest = self.horizons(workload.steps_per_epoch)[0] * workload.steps_per_epoch
        optimizer = workload.make_optimizer(workload.make_model())
        for family in self.families:
            for schedule in corners(family, workload.peak_lr, self.space_file.ranges):
                if isinstance(schedule, InputError):
                    raise schedule
                schedule.split(shortest)
                if getattr(schedule, "cycle_momentum", False):
                    try:
                        require_momentum(optimizer, family)
                    except InputError as error:
                        how = f"[{family}] cycle_momentum = false in a --space FILE.toml, or leave it out of --families"
                        raise InputError(f"{error}: {how}") from error

    def resolved(self, workload: Workload) -> dict[str, Any]:
        """All of it as plain values, defaults filled in, with what the workload and the defaults of the code add."""
        ranges = space(self.families, workload.peak_lr, self.space_file.ranges)
        values = asdict(self) | {
            "weight_decay": workload.weight_decay,
            "metric": workload.metric.name,
            "direction": workload.metric.direction,
            "data": workload.data.fingerprint(),
            "horizons": self.horizons(workload.steps_per_epoch),
            "device": workload.device.type,
            "sources": sources(self.dataset, self.model, self.optimizer, self.workload) or None,
            "space": {name: range_to_json(searched) for name, searched in ranges.items()},
        }
        if self.workload:  # which says both; the flags said nothing
            values |= {"dataset": workload.data.name, "model": workload.name}
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain
