"""The user's own training as what is trained: a function, or a command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from search_spaces.errors import InputError, require
from study.training.command_line import CommandLine
from study.training.declaration import DECLARED, Declaration
from study.training.own_training import OwnTraining
from study.training.trainer import Trainer
from study.training.training_options import TrainingOptions
from study.training.user_function import UserFunction
from study.training.user_script import UserScript
from study.workloads.user_code import imported, path_of


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
    def declared(self) -> Declaration:
        """What is said of the metric and the peak."""
        o, function = self.options, self.function
        while isinstance(function, partial):
            function = function.func
        return Declaration(o.metric, o.direction, o.peak_lr, o.worst).over(getattr(function, DECLARED, Declaration()))

    @property
    def subject(self) -> str:
        """What is trained, as a part of the names of studies and files."""
        return self.trainer.name.strip("<>")

    def objective(self, device: torch.device) -> OwnTraining:
        """The objective, before its first run."""
        return OwnTraining(self.trainer, self.declared, device)

    def record(self, objective: OwnTraining) -> dict[str, Any]:
        """Its part of a study's configuration, as plain values."""
        plain: dict[str, Any] = json.loads(json.dumps({"declared": vars(self.declared)}))
        return objective.trainer.record() | plain
