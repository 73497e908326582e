"""What is trained, as flags. The names are checked at once; data and models are loaded when they are needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from search_spaces.errors import InputError, require, require_at_least, unknown
from study.flags import RARE
from study.workloads.names import TASKS, check_dataset, check_model, check_optimizer, short
from study.workloads.user_code import sources

if TYPE_CHECKING:
    from study.workloads.data import Data
    from study.workloads.workload import Workload

DATA_ROOT = Path.home() / ".cache" / "learning-rate-study"
"""Directory for datasets that are downloaded or generated."""
AVERAGES = ("ema",)
USUAL_AVERAGE, LONGEST_AVERAGE = 0.1, 0.25
"""Fractions of a run. Over more than a quarter of it, the weights of its first step would count more than exp(-4)."""


@dataclass(frozen=True)
class WorkloadOptions:
    """What is trained."""

    dataset: str = "mnist1d"
    """Built-in: mnist1d, digits, fashion-mnist, mnist, kmnist, cifar10, cifar100, pydoc (text). Yours: FILE.csv (with
    --target), FILE.npz of arrays x and y, FILE.txt for a language model, a FOLDER of images, or package.module:function
    that returns (x, y) or a Dataset."""
    target: str | None = None
    """Column to predict (tables only)."""
    task: str | None = None
    """classification or regression. Default: decided by the targets."""
    image_size: int | None = None
    """Side in pixels of the images of a folder. Default: their own, or 64 if they differ."""
    model: str = "mlp"
    """Built-in: mlp, cnn, transformer, resnet18; for text: gpt:tiny (or gpt), gpt:small. Libraries: torchvision:NAME,
    timm:NAME. Yours: package.module:function that returns an nn.Module; it may take input_shape and classes."""
    workload: str | None = None
    """Data, model, loss and metric of your own: package.module:function that returns a study.workloads.Workload."""
    optimizer: str = "sgd"
    """sgd (momentum 0.9), adamw, muon (for hidden matrices, AdamW for the rest), lion, or package.module:function that
    takes model or params, such as torch.optim:NAdam."""
    batch_size: int = 64
    """Rows per optimizer step."""
    weight_decay: float | None = None
    """Weight decay. Default: 0.0005 for sgd, 0.01 for adamw (0.1 for text), 0.1 for muon and lion (1.0 for text); any
    other optimizer keeps its own."""
    average: str | None = None
    """ema: evaluate runs with an exponential moving average of their weights, and at the end with the raw ones too."""
    averaging_fraction: Annotated[float | None, RARE] = None
    """--average: fraction of the run after which weights count 1/e of what they did. Default: 0.1."""
    split_by: Annotated[str | None, RARE] = None
    """Column whose equal values keep rows in the same part, such as a person or a place (tables only)."""
    split_time: Annotated[str | None, RARE] = None
    """Column of dates or numbers: the latest rows are for test, those before them for validation (tables only)."""
    tokenizer: str | None = None
    """FILE.json of a Hugging Face tokenizer for FILE.txt (needs the package tokenizers). Default: tokens are bytes."""
    split_seed: Annotated[int, RARE] = 0
    """Seed that chooses the validation rows."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "batch_size")
        require(
            self.weight_decay is None or 0 <= self.weight_decay < math.inf,
            "--weight-decay must be at least 0 and finite",
            self.weight_decay,
        )
        self.check_average()
        require_at_least(0, self, "split_seed")
        require(self.split_seed < 2**63, "--split-seed must be below 2 to the power of 63", self.split_seed)
        require(self.image_size is None or self.image_size >= 1, "--image-size must be at least 1", self.image_size)
        require(self.task is None or self.task in TASKS, f"--task must be {' or '.join(TASKS)}", self.task)
        if self.workload:
            usual = {field.name: field.default for field in fields(WorkloadOptions)}
            for name in ("dataset", "target", "task", "image_size", "model", "split_by", "split_time", "tokenizer"):
                if getattr(self, name) != usual[name]:
                    flag = f"--{name.replace('_', '-')}"
                    raise InputError(f"--workload already defines data and model: remove {flag} {getattr(self, name)}")
        check_dataset(self.dataset)
        check_model(self.model)
        check_optimizer(self.optimizer)

    def check_average(self) -> None:
        """Raise InputError if the average is unknown, or the first weights would count in it to the end."""
        share = self.averaging_fraction
        if self.average not in (None, *AVERAGES):
            raise unknown("average", self.average, AVERAGES)
        require(share is None or self.average is not None, "--averaging-fraction needs --average ema", share)
        within = f"--averaging-fraction must be above 0 and at most {LONGEST_AVERAGE}"
        require(share is None or 0 < share <= LONGEST_AVERAGE, within, share)

    @property
    def averaged_over(self) -> float | None:
        """The fraction of a run over which weights are averaged; None if they are not."""
        return None if self.average is None else self.averaging_fraction or USUAL_AVERAGE

    @classmethod
    def stored(cls, configuration: Mapping[str, Any]) -> WorkloadOptions:
        """The options of a study, from its stored configuration."""
        own = {field.name: configuration[field.name] for field in fields(cls) if field.name in configuration}
        if configuration.get("workload"):  # which sets both; the flags were not given
            own = {name: value for name, value in own.items() if name not in ("dataset", "model")}
        return cls(**own)

    def load(self, data_root: Path) -> Workload:
        """The workload, on the CPU; raises InputError if it cannot be made. data_root: where data sets are kept."""
        from study.workloads.workload import imported_workload, optimized, workload_of  # loads torch

        if self.workload:
            made = imported_workload(self.workload, self.split_seed, data_root)
        else:
            name = f"{short(self.dataset)}-{short(self.model)}-{short(self.optimizer)}"
            made = workload_of(name, self.read_data(data_root), self.model)
        return optimized(made, self.optimizer, self.batch_size, self.weight_decay, self.averaged_over)

    def read_data(self, data_root: Path) -> Data:
        """The data alone."""
        from study.workloads.datasets import Source  # loads torch

        names = (field.name for field in fields(Source))
        return Source(**{name: getattr(self, name) for name in names}).read(data_root, self.split_seed)

    def record(self, workload: Workload) -> dict[str, Any]:
        """Their part of a study's configuration, as plain values, defaults filled in. workload: what `load` made."""
        values = asdict(self) | {"weight_decay": workload.weight_decay, "sources": self.sources or None}
        values |= {"averaging_fraction": self.averaged_over}
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
        return "-".join(filter(None, [what, short(self.optimizer), self.average]))
