"""What is stored about a finished trial, as typed values: read from Optuna's trial or from the archive, and back.

A stored trial has two attributes of ours, `record` and `curve`; not more, because each is a database row to write. With
Hyperband and successive halving it has a third, `pruner_notes`, which only the search reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from search_spaces import Schedule, from_params
from study.storage.trial_digest import check_digest
from study.storage.typed import as_tuple, check_types


@dataclass(frozen=True)
class Place:
    """Where a trial was asked: the number of its bracket, the size of the bracket, its position and batch in it."""

    bracket: int
    size: int
    position: int
    batch: int


@dataclass(frozen=True)
class Seeds:
    """The seeds that a trial depends on: for drawing schedules, for training, and for splitting off validation rows."""

    sampler_seed: int
    train_seed: int
    split_seed: int


@dataclass(frozen=True)
class Curve:
    """The evaluations of a trial's last run, in order: columns of equal length.

    metric: the name of what `values` holds, on the validation rows. steps: optimizer steps done. losses: on the same
    rows; None if the run diverged there. lr, momentum: of the optimizer at the last step; momentum is None if the
    optimizer has none.
    """

    metric: str
    steps: tuple[int, ...]
    losses: tuple[float | None, ...]
    values: tuple[float, ...]
    lr: tuple[float, ...]
    momentum: tuple[float | None, ...]

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]]) -> Curve:
        """The curve of the stored columns."""
        value_name = [name for name in columns if name.startswith("val_")][-1]
        stored = (columns[name] for name in ("step", "val_loss", value_name, "lr", "momentum"))
        return cls(value_name.removeprefix("val_"), *map(as_tuple, stored))

    def ends_at(self, value: float) -> bool:
        """Whether its columns are equally long, and its last value is this one."""
        return {len(column) for column in self.columns.values()} == {len(self.values)} and self.values[-1:] == (value,)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The columns as they are stored, by name."""
        return {
            "step": list(self.steps),
            "val_loss": list(self.losses),
            f"val_{self.metric}": list(self.values),
            "lr": list(self.lr),
            "momentum": list(self.momentum),
        }


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial.

    complete: whether it ran to its end; otherwise it was pruned, or diverged. value: the metric at the end of its last
    run; if it diverged, the metric's worst. params: as Optuna has them. reported: values by epoch, ascending.
    torch_arguments: the resolved arguments of the full run. epochs_used, cohorts: by budget, ascending: the epochs
    trained, and how many runs were trained together (1 is the plain loop). engine: the name of the engine of the last
    run. too_large: cohorts that did not fit into memory. best_epoch: when the last run was best. audited_from: the
    epochs at which the trial would have been pruned, but for an audit; otherwise None. seconds: of training; those of a
    cohort are divided by steps. failure: why its training failed, if it did. ended: when it was stored; None if it
    comes from an archive. raw_value: of weights that are not averaged, if those of `value` are. is_reference: whether
    it tries a peak of the reference. outside: whether its schedule lies outside the search space; only one of the
    reference can.
    """

    number: int
    complete: bool
    value: float
    params: Mapping[str, Any]
    reported: Mapping[int, float]
    place: Place
    seeds: Seeds
    torch_arguments: Mapping[str, Any]
    epochs_used: Mapping[int, float]
    cohorts: Mapping[int, int]
    engine: str
    too_large: tuple[int, ...]
    best_epoch: float
    diverged: bool
    audited_from: int | None
    seconds: float
    curve: Curve | None = None
    ended: datetime | None = None
    failure: str | None = None
    is_reference: bool = False
    outside: bool = False
    raw_value: float | None = None

    @classmethod
    def of(cls, trial: FrozenTrial) -> TrialRecord:
        """The record of a finished trial of Optuna's; raises one of `DAMAGED` if this project did not write it."""
        read = cls.read(
            number=trial.number,
            complete=trial.state == TrialState.COMPLETE or trial.user_attrs["record"].get("complete", False),
            value=trial.value,
            params=trial.params,
            reported=trial.intermediate_values,
            stored=trial.user_attrs,
            ended=trial.datetime_complete.astimezone(UTC) if trial.datetime_complete else None,
        )
        check_digest(trial)
        return read

    @classmethod
    def read(
        cls,
        number: int,
        complete: bool,
        value: Any,
        params: Mapping[str, Any],
        reported: Mapping[Any, Any],
        stored: Mapping[str, Any],
        ended: datetime | None = None,
    ) -> TrialRecord:
        """The record of stored values; stored: the attributes."""
        record = stored["record"]
        place = record["place"]
        read = cls(
            number=number,
            complete=complete,
            value=float(value),
            params=dict(record.get("outside", params)),
            reported={int(epochs): float(reported) for epochs, reported in reported.items()},
            place=Place(place["generation"], place["size"], place["position"], place["batch"]),
            seeds=Seeds(**record["seeds"]),
            torch_arguments=record["torch"],
            epochs_used={int(budget): epochs for budget, epochs in record["epochs_used"].items()},
            cohorts={int(budget): runs for budget, runs in record["cohort"].items()},
            engine=record["engine"],
            too_large=as_tuple(record["too_large"]),
            best_epoch=record["best_epoch"],
            diverged=record["diverged"],
            audited_from=record.get("audited_from"),
            seconds=record["seconds"],
            curve=Curve.of(stored["curve"]) if stored.get("curve") else None,
            ended=ended,
            failure=record.get("failure"),
            is_reference=record.get("reference", False),
            outside="outside" in record,
            raw_value=record.get("raw_value"),
        )
        read.check()
        return read

    def check(self) -> None:
        """Raise one of `DAMAGED`, saying what is damaged, if this project writes no such value."""
        check_types(self)
        from_params(self.params)  # whether it is a schedule
        if not 0 <= (self.weight_decay or 0.0) < math.inf:
            raise ValueError(f"the weight decay of trial {self.number} is {self.weight_decay}")
        if not (math.isfinite(self.value) and self.epochs_used and self.cohorts and self.reported):
            raise ValueError(f"trial {self.number} has no result")
        if self.curve and not self.curve.ends_at(self.value):
            raise ValueError(f"trial {self.number} has two results")

    @property
    def stored(self) -> dict[str, Any]:
        """The attributes as they are stored."""
        place = self.place
        record = {
            "place": {
                "generation": place.bracket,
                "size": place.size,
                "position": place.position,
                "batch": place.batch,
            },
            "seeds": asdict(self.seeds),
            "torch": dict(self.torch_arguments),
            "epochs_used": {str(budget): epochs for budget, epochs in self.epochs_used.items()},
            "cohort": {str(budget): runs for budget, runs in self.cohorts.items()},
            "engine": self.engine,
            "too_large": list(self.too_large),
            "best_epoch": self.best_epoch,
            "diverged": self.diverged,
            "audited_from": self.audited_from,
            "seconds": self.seconds,
        }
        record |= {"failure": self.failure} if self.failure else {}
        record |= {} if self.raw_value is None else {"raw_value": self.raw_value}
        record |= {"reference": True} if self.is_reference else {}
        record |= {"outside": dict(self.params), "complete": self.complete} if self.outside else {}
        return {"record": record} | ({"curve": self.curve.columns} if self.curve else {})

    @property
    def family(self) -> str:
        """The family of its schedule."""
        return str(self.params["family"])

    @property
    def peak_lr(self) -> float:
        """The peak_lr of its schedule."""
        return float(self.params["peak_lr"])

    @property
    def schedule(self) -> Schedule:
        """The schedule it was trained with."""
        return from_params(self.params)

    @property
    def weight_decay(self) -> float | None:
        """Of its runs, if the study searches it; None for the optimizer's own."""
        found = self.params.get("weight_decay")
        return None if found is None else float(found)

    @property
    def epochs_spent(self) -> float:
        """Epochs trained over all its runs."""
        return float(sum(self.epochs_used.values()))
