"""Runs of a study's schedule at longer budgets than the study's own, as typed values; see `search/extend.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class LongerRun(NamedTuple):
    """A run of a trial's schedule, with a peak and a fresh seed.

    validation: the metric at its end; the worst if it diverged. test: the same on the test rows; None if the objective
    has none, or the run diverged.
    """

    trial: int
    peak_lr: float
    seed: int
    validation: float
    test: float | None


def longer_runs(attributes: Mapping[str, Any], budget: int) -> list[LongerRun]:
    """The runs of this budget that a study keeps."""
    return [LongerRun(*run) for run in attributes.get(KEY, {}).get(str(budget), ())]


def with_longer_runs(attributes: Mapping[str, Any], budget: int, runs: list[LongerRun]) -> dict[str, Any]:
    """The attribute that keeps these runs of this budget, beside those of others."""
    return {**attributes.get(KEY, {}), str(budget): [list(run) for run in runs]}


KEY = "longer_runs"
"""The attribute of a study that keeps them."""
