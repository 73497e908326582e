"""The attributes of a study that the search reads again, besides those of its record: what they hold, by their keys.

Studies made by earlier versions lack some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Required, TypedDict


class MadeOf(TypedDict, total=False):
    """What a study was made of, see workloads/made_of.py."""

    modules: Required[Mapping[str, str]]
    machine: Mapping[str, Any]
    shapes: str | None
    parameters: str | None
    outputs: list[float] | None


class StoredSpeed(TypedDict):
    """How fast an engine trains."""

    by_cohort: Mapping[str, float]
    start: float


class StoredEngine(TypedDict, total=False):
    """The engine of a study, and the flags that chose it."""

    cohort: Required[int]
    workers: Required[int]
    asked: Required[Mapping[str, Any]]
    threads: int | None
    speed: StoredSpeed | None


class StoredLimit(TypedDict):
    """What was fitted to a limit of the cost."""

    limit: str
    trials: int
    rung_fractions: list[float] | None


class StoredReference(TypedDict, total=False):
    """What an answer is compared with."""

    name: Required[str]
    searched: Required[bool]
    params: Required[list[Mapping[str, Any]]]
    refines: bool


class StoredConfiguration(TypedDict, total=False):
    """Parts of a configuration that differ from their types in the settings."""

    reference: StoredReference | None
    enqueued: list[Mapping[str, Any]]
    sources: Mapping[str, str] | None
    objects: Mapping[str, str | None] | None
    declared: Mapping[str, Any] | None
    data: str | None
    split_seed: int
    train_seed: Required[int]


class SavedRun(TypedDict):
    """A candidate of an unfinished bracket."""

    epochs_used: Mapping[str, float]
    cohort: Mapping[str, int]
    trained: int
    seconds: float
    params: Mapping[str, Any]
    evaluations: list[Mapping[str, Any]]
    reported: list[list[float]]


class Unfinished(TypedDict, total=False):
    """The bracket that is being trained; empty if none is. ahead: the next one, if it has begun."""

    generation: int
    size: int
    candidates: Mapping[str, SavedRun]
    ahead: Unfinished


class Attributes(TypedDict, total=False):
    """All of them."""

    configuration: Required[StoredConfiguration]
    engine: StoredEngine
    limit: StoredLimit
    made_of: MadeOf | None
    first_run: Mapping[str, Any]
    longer_runs: Mapping[str, list[list[Any]]]
    unfinished: Unfinished | int
    accepted: list[Mapping[str, Any]]
    clip_norm: float
    group: Required[str]
    workload: Required[str]


def trials_under_way(unfinished: Mapping[str, Any] | int) -> int:
    """How many trials of unfinished brackets have been trained; an archive has only the number."""
    if isinstance(unfinished, int):
        return unfinished
    return sum(len(bracket.get("candidates", ())) for bracket in (unfinished, unfinished.get("ahead", {})))
