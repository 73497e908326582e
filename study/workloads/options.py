"""What is trained, as said at the command line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from search_spaces.errors import require, require_at_least
from study.workloads.data import Data
from study.workloads.datasets import Source
from study.workloads.models import check_model
from study.workloads.optimizers import check_optimizer
from study.workloads.user_code import sources
from study.workloads.workload import Workload, imported_workload, optimized, short, workload_of


@dataclass(frozen=True)
class WorkloadOptions:
    """What is trained."""

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
    """Rows per optimizer step."""
    weight_decay: float | None = None
    """None: 0.0005 for sgd, 0.01 for adamw, its own for another."""
    split_seed: int = 0
    """Seed of the choice of validation rows."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "batch_size")
        require(
            self.weight_decay is None or 0 <= self.weight_decay < math.inf,
            "--weight-decay must be at least 0 and finite",
            self.weight_decay,
        )
        require_at_least(0, self, "split_seed")
        if self.workload:
            usual = {field.name: field.default for field in fields(WorkloadOptions)}
            for name in ("dataset", "target", "task", "image_size", "model"):
                flag = f"--{name.replace('_', '-')}"
                require(
                    getattr(self, name) == usual[name], f"--workload says it all: leave out {flag}", getattr(self, name)
                )
        require(self.image_size is None or self.image_size >= 1, "--image-size must be at least 1", self.image_size)

    @classmethod
    def stored(cls, configuration: Mapping[str, Any]) -> WorkloadOptions:
        """The options of a study, from its stored configuration."""
        own = {field.name: configuration[field.name] for field in fields(cls) if field.name in configuration}
        if configuration.get("workload"):  # which sets both; the flags were not given
            own = {name: value for name, value in own.items() if name not in ("dataset", "model")}
        return cls(**own)

    def load(self, data_root: Path) -> Workload:
        """The workload, on the CPU; raises InputError if it cannot be made. data_root: where data sets are kept."""
        check_model(self.model)  # a mistyped name is reported before data is read
        check_optimizer(self.optimizer)
        if self.workload:
            made = imported_workload(self.workload, self.split_seed, data_root)
        else:
            name = f"{short(self.dataset)}-{short(self.model)}-{short(self.optimizer)}"
            made = workload_of(name, self.read_data(data_root), self.model)
        return optimized(made, self.optimizer, self.batch_size, self.weight_decay)

    def read_data(self, data_root: Path) -> Data:
        """The data alone."""
        source = Source(self.dataset, self.target, self.task, self.image_size)
        return source.read(data_root, self.split_seed)

    def record(self, workload: Workload) -> dict[str, Any]:
        """Their part of a study's configuration, as plain values, defaults filled in. workload: what `load` made."""
        values = asdict(self) | {"weight_decay": workload.weight_decay, "sources": self.sources or None}
        if self.workload:
            values |= {"dataset": workload.data.name, "model": workload.name}
        return values

    @property
    def sources(self) -> dict[str, str]:
        """A digest of each file of the user's that the options name."""
        return sources(self.dataset, self.model, self.optimizer, self.workload)

    @property
    def subject(self) -> str:
        """What is trained, as a part of the names of studies and files."""
        what = short(self.workload) if self.workload else f"{short(self.dataset)}-{short(self.model)}"
        return f"{what}-{short(self.optimizer)}"
