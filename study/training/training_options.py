"""The user's own training, as said at the command line. Nothing heavy is loaded to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from search_spaces.errors import InputError, require
from study.training.command_line import CommandLine
from study.training.declaration import Declaration


@dataclass(frozen=True)
class TrainingOptions:
    """Your own training: it takes the schedule, and reports its validation value."""

    train: str | None = None
    """package.module:function, a generator that takes (schedule, epochs, seed) and yields its validation value."""
    command: str | None = None
    """Command that trains one run, such as "python train.py --epochs {epochs} --seed {seed}"; its script calls
    study.script. Also {steps}, {run_dir}, {peak_lr}, {warmup_steps}, {total_steps}, and {timm} for the
    flags of timm's train.py."""
    metric: str | None = None
    """Name of the value that is reported, such as error. Default: the only one."""
    direction: str | None = None
    """minimize or maximize. Default: minimize."""
    peak_lr: tuple[float, float] | None = None
    """LOW HIGH: range in which the peak is searched. Default: the usual one of the optimizer."""
    worst: float | None = None
    """Value recorded for a diverged run. Default: a value worse than those of the first runs."""
    metric_csv: str | None = None
    """For --command, if it reports nothing: a CSV with a column --metric and a row for each evaluation; may name
    {run_dir} and hold *."""
    metric_pattern: str | None = None
    """For --command, if it reports nothing: a regular expression with one group, the value, searched in its output."""

    def __post_init__(self) -> None:
        declared = Declaration(self.metric, self.direction, self.peak_lr, self.worst)
        if not self.given:
            for name, value in vars(declared).items():
                flag = f"--{name.replace('_', '-')}"
                require(value is None, f"{flag} is for your own training: give --train or --command too", value)
        require(self.train is None or self.command is None, "give --train or --command, not both", self.command)
        if self.command is not None:
            CommandLine(self.command)
        for name in ("metric_csv", "metric_pattern"):
            value = getattr(self, name)
            require(value is None or bool(self.command), f"--{name.replace('_', '-')} needs --command", value)
        if self.metric_csv is not None and self.metric_pattern is not None:
            raise InputError("give --metric-csv or --metric-pattern, not both")
        if self.metric_csv is not None and self.metric is None:
            raise InputError("--metric-csv needs --metric, the name of its column")

    @property
    def given(self) -> bool:
        """Whether there is a training of the user's."""
        return self.train is not None or self.command is not None

    @classmethod
    def stored(cls, configuration: Mapping[str, Any]) -> TrainingOptions:
        """The options of a study, from its stored configuration."""
        stored = {**configuration, **configuration.get("declared", {})}
        own = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**own | {"peak_lr": tuple(own["peak_lr"]) if own.get("peak_lr") else None})


def require_alone(training: TrainingOptions, workload: Any) -> None:
    """Raise InputError if a training of the user's is given, and a flag of the workload, which it replaces, too."""
    whole = "train" if training.train is not None else "command"
    for field in fields(workload) if training.given else ():
        given = getattr(workload, field.name)
        flag = f"--{field.name.replace('_', '-')}"
        require(given == field.default, f"--{whole} replaces {flag}: remove {flag}", given)
