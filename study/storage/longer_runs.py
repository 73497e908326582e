"""Runs of a study's schedules at longer budgets than the study's own; see `search/extend.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study.storage.finals import FinalRun

KEY = "longer_runs"
"""The attribute of a study that keeps them."""


def longer_runs(attributes: Mapping[str, Any], budget: int) -> list[FinalRun]:
    """The runs of this budget that a study keeps."""
    kept = attributes.get(KEY, {}).get(str(budget), ())
    fewest = len(FinalRun._fields) - len(FinalRun._field_defaults)
    return [FinalRun(*run) for run in kept if len(run) >= fewest]  # earlier versions kept others


def with_longer_runs(attributes: Mapping[str, Any], budget: int, runs: Sequence[FinalRun]) -> dict[str, Any]:
    """The attribute that keeps these runs of this budget, beside those of others."""
    return {**attributes.get(KEY, {}), str(budget): [run.stored for run in runs]}
