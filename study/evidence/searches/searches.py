"""Searches of a comparison: what all of them share, and one of them, with an arm and a seed."""

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
    """What all searches of a comparison share."""

    workload: Annotated[WorkloadOptions, tyro.conf.OmitArgPrefixes]
    """live: what is trained. Recorded runs have their own workload."""
    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that all arms change; the families and the length of recorded runs are those of the recording."""
    compare: str = "pruners"
    """What is compared: a name in study/evidence/searches/arms.py, as pruners, rungs, floors, samplers or batches."""
    trials: int = 50
    """Trials per search."""
    equal_epochs: bool = True
    """Search on until all arms have spent what the trials take unpruned."""
    confirm_seeds: int = 5
    """live: fresh training seeds that evaluate what was found."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""

    def __post_init__(self) -> None:
        given = self.configuration
        require(given.pruner == "horizon", "the arms choose the pruner: leave out --pruner", given.pruner)
        require(given.sampler_seed == 0, "use --first-search-seed, not --sampler-seed", given.sampler_seed)
        require_at_least(1, self, "trials", "confirm_seeds")
        if self.compare not in ARMS:
            raise unknown("comparison", self.compare, ARMS)

    def testbed(self, file: Path | None) -> Testbed:
        """What the searches of this file of recorded runs, or the live ones, are compared on."""
        return open_testbed(self.workload, self.configuration, file, self.confirm_seeds, self.data_root)


def one_search(
    searches: Searches, file: Path | None, arm: str, seed: int, seconds_per_epoch: Mapping[int, float]
) -> EvaluatedSearch:
    """Search with one arm and one seed, and evaluate all that was found on the way.

    seconds_per_epoch: as `Testbed.seconds_per_epoch`, timed before.
    """
    testbed = searches.testbed(file)
    configuration = replace(testbed.configuration, sampler_seed=seed, **ARMS[searches.compare][arm])
    epochs = searches.equal_epochs * searches.trials * configuration.epochs
    return evaluate_search(testbed, configuration, arm, searches.trials, epochs, seconds_per_epoch)
