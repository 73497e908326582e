"""The user's own training, as said at the command line or with a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch

from search_spaces.errors import InputError, require
from study.training.command_line import CommandLine
from study.training.own_training import OwnTraining
from study.training.trainer import Trainer
from study.training.user_function import UserFunction
from study.training.user_script import UserScript
from study.training.wanted import DECLARED, Wanted
from study.workloads.user_code import imported, path_of


@dataclass(frozen=True)
class TrainingOptions:
    """Your own training: it takes the schedule, and reports its validation value."""

    train: str | None = None
    """package.module:function, a generator that takes (schedule, epochs, seed) and yields its validation value."""
    command: str | None = None
    """Command that trains one run, such as "python train.py --epochs {epochs} --seed {seed}"; its script calls
    study.script. Also {steps}, {run_dir}, {peak_lr}, {warmup_steps}, {total_steps}."""
    metric: str | None = None
    """Name of the value that is reported, such as error. None: the one that is there."""
    direction: str | None = None
    """minimize or maximize. None: minimize."""
    peak_lr: tuple[float, float] | None = None
    """LOW HIGH: where the peak is searched. None: the usual range of the optimizer."""
    worst: float | None = None
    """Value of a run that diverged. None: worse than all of the first runs."""
    metric_csv: str | None = None
    """For --command, if it reports nothing: a CSV with a column --metric and a row for each evaluation; may name
    {run_dir} and hold *."""
    metric_pattern: str | None = None
    """For --command, if it reports nothing: a regular expression with one group, the value, searched in its output."""

    def __post_init__(self) -> None:
        wanted = Wanted(self.metric, self.direction, self.peak_lr, self.worst)
        if not self.given:
            for name, value in vars(wanted).items():
                flag = f"--{name.replace('_', '-')}"
                require(value is None, f"{flag} is for your own training: give --train or --command too", value)
        require(self.train is None or self.command is None, "give --train or --command, not both", self.command)
        for name in ("metric_csv", "metric_pattern"):
            value = getattr(self, name)
            require(value is None or bool(self.command), f"--{name.replace('_', '-')} needs --command", value)
        require(
            None in (self.metric_csv, self.metric_pattern), "give --metric-csv or --metric-pattern, not both", "both"
        )
        if self.metric_csv is not None and self.metric is None:
            raise InputError("--metric-csv needs --metric, the name of its column")

    @property
    def given(self) -> bool:
        """Whether there is a training of the user's."""
        return self.train is not None or self.command is not None

    @classmethod
    def stored(cls, configuration: Mapping[str, Any]) -> TrainingOptions:
        """The options of a study, from its stored configuration."""
        stored = {**configuration, **configuration.get("wanted", {})}
        own = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**own | {"peak_lr": tuple(own["peak_lr"]) if own.get("peak_lr") else None})


def name_of(train: Callable[..., Any] | str) -> str:
    """What `--train` would name it; raises InputError if it is neither a name nor a function."""
    if isinstance(train, str):
        return train
    require(callable(train), "train must be a function or package.module:function", train)
    return path_of(train)


@dataclass(frozen=True)
class TrainingSource:
    """What is trained, if that is the user's own training. function: what `train` names; None for a command."""

    options: TrainingOptions
    function: Callable[..., Any] | None = None

    @classmethod
    def of(cls, options: TrainingOptions, function: Callable[..., Any] | str | None = None) -> TrainingSource:
        """The source; raises InputError if what is named cannot be imported, or is no function.

        function: what `options.train` names; None, or the name itself, is imported.
        """
        if options.train is None:
            return cls(options)
        if function is None or isinstance(function, str):
            function = imported(options.train, "--train")
        if isinstance(function, type):
            raise InputError(f"train must be a generator function, but {function.__name__} is a class")
        return cls(replace(options, train=path_of(function)), function)

    @property
    def trainer(self) -> Trainer:
        """What trains."""
        o = self.options
        if self.function is not None:
            return UserFunction(self.function)
        assert o.command is not None
        return UserScript(CommandLine(o.command), None, o.metric_csv, o.metric_pattern)

    @property
    def wanted(self) -> Wanted:
        """What is said of the metric and the peak."""
        o, function = self.options, self.function
        while isinstance(function, partial):
            function = function.func
        return Wanted(o.metric, o.direction, o.peak_lr, o.worst).over(getattr(function, DECLARED, Wanted()))

    @property
    def subject(self) -> str:
        """What is trained, as a part of the names of studies and files."""
        return self.trainer.name.strip("<>")

    def objective(self, device: torch.device) -> OwnTraining:
        """The objective, before its first run."""
        return OwnTraining(self.trainer, self.wanted, device)

    def record(self, objective: OwnTraining) -> dict[str, Any]:
        """Its part of a study's configuration, as plain values."""
        return objective.trainer.record() | {"wanted": dict(vars(self.wanted))}
