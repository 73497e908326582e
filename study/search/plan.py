"""Plan: what is searched, on what, and how; whatever the length of a full run."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from search_spaces import FAMILIES, check_families, suggest
from search_spaces.errors import require, require_at_least, unknown
from search_spaces.schedule import Schedule
from search_spaces.space_file import SpaceFile, read_space
from study.search.confirm import FIRST_FRESH_SEED
from study.search.pruners import PRUNERS
from study.search.samplers.optuna_samplers import SAMPLERS
from study.workloads.datasets import Source
from study.workloads.workload import Workload, imported_workload, named_workload, short


@dataclass(frozen=True)
class Plan:
    """What is searched, on what, and how: all of a configuration but the length of a full run."""

    dataset: str = "mnist1d"
    """mnist1d, digits, fashion-mnist, mnist, kmnist, cifar10 or cifar100; a FILE.csv with --target; a FILE.npz of
    arrays x and y; a FOLDER of images; or package.module:function, which returns tensors (x, y) or a Dataset."""
    target: str | None = None
    """Of a table: the column to predict."""
    task: str | None = None
    """classification or regression. None: found from the targets."""
    image_size: int | None = None
    """Of a folder of images: their side in pixels. None: their own, or 64 where they differ."""
    model: str = "mlp"
    """mlp, cnn, transformer or resnet18; torchvision:NAME, timm:NAME; or package.module:function, which returns an
    nn.Module and may take input_shape and classes."""
    workload: str | None = None
    """package.module:function, which returns a study.workloads.Workload: data, model, loss and metric of your own."""
    optimizer: str = "sgd"
    """sgd (momentum 0.9), adamw; or package.module:function, which takes model or params, such as torch.optim:NAdam."""
    batch_size: int = 64
    """Rows per optimizer update."""
    weight_decay: float | None = None
    """None: 0.0005 for sgd, 0.01 for adamw, its own for another."""
    families: tuple[str, ...] = tuple(FAMILIES)
    """Families of schedules to search among."""
    space: str | None = None
    """A FILE.toml of families and ranges (--print-space prints one), or all, classic, transformer or no-warm-up."""
    pruner: str = "horizon"
    """horizon: compare short complete runs; median, hyperband, halving: Optuna's, at every epoch; none."""
    rung_fractions: tuple[float, ...] = (0.1, 0.5)
    """horizon: lengths of the short runs, as shares of the full run (results/search/rungs.md)."""
    least_updates: int = 100
    """horizon: no short run is shorter (results/search/floors.md); where this is half a full run, none is tried."""
    reduction: int = 5
    """horizon: at each rung one in this many goes on (results/search/rungs.md)."""
    trials_per_batch: int = 10
    """Trials asked together; each batch learns from the whole batches before it. 1 to 25 are not told apart; 50, all of
    them at random, find less than one by one (results/search/batches.md)."""
    trials_per_generation: int = 50
    """horizon: trials that compete for the long runs, when all had a short one. 10 and 25 are not told from 50, and
    train longer (results/search/generations.md)."""
    sampler: str = "gp"
    """gp, tpe, tpe-univariate, tpe-group, qmc (quasi-random) or random. gp finds the best schedules
    (results/search/samplers.md), but is slow where a study has thousands of trials; tpe is not."""
    startup_trials: int = 20
    """Trials drawn at random before the sampler learns (results/search/startup.md)."""
    audit: float = 0.0
    """Share of the trials to be pruned that run to their end all the same, to tell how often pruning is wrong."""
    sampler_seed: int = 0
    """Seed of the schedules drawn."""
    train_seed: int = 0
    """Seed of initialisation and order of rows, the same for all trials; below 1000."""
    split_seed: int = 0
    """Seed of the choice of validation rows."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "batch_size", "least_updates", "trials_per_batch", "trials_per_generation")
        require(
            self.weight_decay is None or 0 <= self.weight_decay < math.inf,
            "--weight-decay must be at least 0 and finite",
            self.weight_decay,
        )
        require_at_least(0, self, "sampler_seed", "train_seed", "split_seed")
        fresh = f"--train-seed must be below {FIRST_FRESH_SEED}: those from there on judge what was found"
        require(self.train_seed < FIRST_FRESH_SEED, fresh, self.train_seed)
        require(
            all(0 < share < 1 for share in self.rung_fractions),
            "--rung-fractions must be above 0 and below 1",
            self.rung_fractions,
        )
        require_at_least(2, self, "reduction")
        object.__setattr__(self, "families", tuple(check_families(self.families)))
        if self.space:
            object.__setattr__(self, "families", self.narrowed())
        if self.workload:
            usual = {field.name: field.default for field in fields(Plan)}
            for name in ("dataset", "target", "task", "image_size", "model"):
                flag = f"--{name.replace('_', '-')}"
                require(
                    getattr(self, name) == usual[name], f"--workload says it all: leave out {flag}", getattr(self, name)
                )
        require(self.image_size is None or self.image_size >= 1, "--image-size must be at least 1", self.image_size)
        require_at_least(1, self, "startup_trials")
        require(0 <= self.audit <= 1, "--audit must be from 0 to 1", self.audit)
        if self.sampler not in SAMPLERS:
            raise unknown("sampler", self.sampler, SAMPLERS)
        if self.pruner not in PRUNERS:
            raise unknown("pruner", self.pruner, PRUNERS)

    def load_workload(self, data_root: Path) -> Workload:
        """The workload, on the CPU; raises InputError where it cannot be made."""
        how = (self.optimizer, self.batch_size, self.weight_decay, self.split_seed, data_root)
        if self.workload:
            return imported_workload(self.workload, *how)
        source = Source(self.dataset, self.target, self.task, self.image_size)
        return named_workload(source, self.model, *how)

    @cached_property
    def space_file(self) -> SpaceFile:
        """What `--space` says; by itself, all there is."""
        return read_space(self.space) if self.space else SpaceFile(self.families, {})

    def narrowed(self) -> tuple[str, ...]:
        """The families that `--families` and `--space` have in common, which are to be those of the former."""
        if set(self.families) == set(FAMILIES):
            return self.space_file.families
        for family in self.families:
            require(
                family in self.space_file.families, f"--families must be among those of --space {self.space}", family
            )
        return self.families

    def suggest(self, trial: Any, workload: Workload) -> Schedule:
        """Draw a schedule from an Optuna trial, within the space that is searched."""
        return suggest(trial, self.families, workload.peak_lr, self.space_file.ranges)

    @property
    def subject(self) -> str:
        """What is trained, as a part of the names of studies and files."""
        what = short(self.workload) if self.workload else f"{short(self.dataset)}-{short(self.model)}"
        return f"{what}-{short(self.optimizer)}"
