"""The options shared by all searches of a comparison, as flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_spaces.errors import InputError, require_at_least, unknown
from study.evidence.searches.arms import ARMS
from study.search.configuration import Configuration
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Searches:
    """Options shared by all searches of a comparison. Arms change the search; recorded runs have their own workload."""

    workload: WorkloadOptions
    search: Configuration
    compare: str = "pruners"
    """What to compare, such as pruners, rungs, floors, samplers or batches: see study/evidence/searches/arms.py."""
    trials: int = 50
    """Trials per search."""
    equal_epochs: bool = True
    """search on until every arm has spent the epochs that the trials take unpruned."""
    confirm_seeds: int = 5
    """With --live: number of fresh training seeds that evaluate each schedule."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        given = self.search
        if given.pruner != "horizon":
            raise InputError(f"the arms choose the pruner: remove --pruner {given.pruner}")
        if given.sampler_seed:
            raise InputError(f"use --first-search-seed, not --sampler-seed {given.sampler_seed}")
        require_at_least(1, self, "trials", "confirm_seeds")
        if self.compare not in ARMS:
            raise unknown("comparison", self.compare, ARMS)
