"""The searches of a comparison: their shared options, and running one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from search_spaces.errors import require, require_at_least, unknown
from study.api import DATA_ROOT
from study.evidence.searches.arms import ARMS
from study.evidence.searches.evaluated_search import EvaluatedSearch, evaluate_search
from study.evidence.searches.testbed import Testbed, open_testbed
from study.search.configuration import Configuration
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class Searches:
    """Options shared by all searches of a comparison."""

    workload: Annotated[WorkloadOptions, tyro.conf.OmitArgPrefixes]
    """With --live: what is trained. Recorded runs have their own workload."""
    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that the arms change. With recorded runs, families and run length come from the recording."""
    compare: str = "pruners"
    """What to compare: a name in study/evidence/searches/arms.py, such as pruners, rungs, floors, samplers, batches."""
    trials: int = 50
    """Trials per search."""
    equal_epochs: bool = True
    """Continue each search until it has spent as many epochs as an unpruned one."""
    confirm_seeds: int = 5
    """With --live: number of fresh training seeds that evaluate each result."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded datasets."""

    def __post_init__(self) -> None:
        given = self.configuration
        require(given.pruner == "horizon", "the arms choose the pruner: remove --pruner", given.pruner)
        require(given.sampler_seed == 0, "use --first-search-seed, not --sampler-seed", given.sampler_seed)
        require_at_least(1, self, "trials", "confirm_seeds")
        if self.compare not in ARMS:
            raise unknown("comparison", self.compare, ARMS)

    def testbed(self, file: Path | None) -> Testbed:
        """The testbed of a file of recorded runs; None for live training."""
        return open_testbed(self.workload, self.configuration, file, self.confirm_seeds, self.data_root)


def one_search(
    searches: Searches, file: Path | None, arm: str, seed: int, seconds_per_epoch: Mapping[int, float]
) -> EvaluatedSearch:
    """Search with one arm and one seed, and evaluate every incumbent.

    file: see `Searches.testbed`. seconds_per_epoch: the result of `Testbed.seconds_per_epoch`.
    """
    testbed = searches.testbed(file)
    configuration = replace(testbed.configuration, sampler_seed=seed, **ARMS[searches.compare][arm])
    epochs = searches.equal_epochs * searches.trials * configuration.epochs
    return evaluate_search(testbed, configuration, arm, searches.trials, epochs, seconds_per_epoch)
