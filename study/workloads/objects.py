"""Data, model, optimizer or a whole workload given as Python objects instead of option values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import nn

from search_spaces.errors import InputError, require
from study.workloads.data import Data
from study.workloads.datasets import made_data
from study.workloads.names import short
from study.workloads.options import WorkloadOptions
from study.workloads.user_code import bare_name, digest, is_importable, path_of
from study.workloads.workload import Workload, imported_workload, optimized, workload_of

REPLACES = {
    "data": ("dataset", "target", "image_size", "split_by", "split_time", "tokenizer"),
    "workload": ("dataset", "target", "task", "image_size", "split_by", "split_time", "tokenizer", "model", "data"),
}
"""Options that an object replaces, by the object's name."""
NAMED = ("model", "optimizer")
"""Objects that are functions; one that can be imported is recorded by its name, as at the command line."""


@dataclass(frozen=True)
class WorkloadObjects:
    """What is trained, partly as Python objects; has the interface of `WorkloadOptions`.

    options: everything not given as an object. data: (x, y), a Dataset, a dict of either by part, or Data. model,
    optimizer: functions, as for `package.module:function`. workload: a whole `Workload`.
    """

    options: WorkloadOptions
    data: Any = None
    model: Callable[..., Any] | None = None
    optimizer: Callable[..., Any] | None = None
    workload: Workload | None = None

    def __post_init__(self) -> None:
        if isinstance(self.model, nn.Module):
            raise InputError(
                "model must be a function that returns a new model, because every run needs its own, "
                "but a model was given: pass a function such as lambda: MyModel()"
            )
        for name in NAMED:
            function = getattr(self, name)
            require(function is None or callable(function), f"{name} must be a name or a function", function)
        require(
            self.workload is None or isinstance(self.workload, Workload), "workload must be a Workload", self.workload
        )

        usual = {field.name: field.default for field in fields(WorkloadOptions)}
        for part, names in REPLACES.items():
            if getattr(self, part) is not None:
                for name in names:
                    require(getattr(self, name, None) is None, f"{part} replaces {name}: remove {name}", "an object")
                    value = getattr(self.options, name, None)
                    require(value in (None, usual.get(name)), f"{part} replaces {name}: remove {name}", value)
        for part in ("data", "model") if self.options.workload else ():
            require(getattr(self, part) is None, f"workload replaces {part}: remove {part}", "an object")

    @property
    def given(self) -> list[str]:
        """The names of the parts that are Python objects."""
        return [part for part in ("data", "model", "optimizer", "workload") if getattr(self, part) is not None]

    def load(self, data_root: Path) -> Workload:
        """The workload, on the CPU; raises InputError if the parts do not fit together."""
        options, optimizer = self.options, self.optimizer or self.options.optimizer
        made = self.workload
        if options.workload:
            made = imported_workload(options.workload, options.split_seed, data_root)
        if made is None:
            data = options.read_data(data_root) if self.data is None else self.read_data()
            made = workload_of(self.subject, data, self.model or options.model)
        return optimized(made, optimizer, options.batch_size, options.weight_decay, options.averaged_over)

    def read_data(self) -> Data:
        """The data, made from the object."""
        return made_data("data", self.data, self.options.task, self.options.split_seed)

    def record(self, workload: Workload) -> dict[str, Any]:
        """Like `WorkloadOptions.record`, plus `objects`: a digest of each function that was given as an object."""
        values = self.options.record(workload)
        given: dict[str, str | None] = {}
        if self.data is not None:  # its fingerprint is recorded separately
            given["data"], values["dataset"] = None, "data"
        if self.workload is not None:
            given["workload"] = digest((workload.make_model, workload.loss, workload.measure))
            values |= {"dataset": workload.data.name, "model": workload.name}
        for name in NAMED:
            function = getattr(self, name)
            if function is not None:
                given[name], values[name] = digest(function), path_of(function)
        return values | {"objects": given}

    @property
    def subject(self) -> str:
        """What is trained, for names of studies and files."""
        dataset = "data" if self.data is not None else self.options.dataset
        model = self.options.model if self.model is None else bare_name(self.model)
        optimizer = self.options.optimizer if self.optimizer is None else bare_name(self.optimizer)
        whole = self.options.workload or (self.workload and self.workload.name)
        what = [whole] if whole else [dataset, model]
        return "-".join(map(short, (*what, optimizer)))


def workload_source(options: WorkloadOptions, **objects: Any) -> WorkloadOptions | WorkloadObjects:
    """The options combined with objects; a name, or a function that can be imported, becomes an option.

    objects: data, model, optimizer and workload; None if not given.
    """
    given = {name: value for name, value in objects.items() if value is not None}
    for name, value in list(given.items()):
        if name in NAMED and callable(value) and not isinstance(value, nn.Module) and is_importable(value):
            value = path_of(value)
        if isinstance(value, str) and name != "data":
            named: dict[str, Any] = {name: value}
            options = replace(options, **named)
            del given[name]
    return WorkloadObjects(options, **given) if given else options
