"""Searches of a comparison: what all of them share, and one of them, with an arm and a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

import tyro

from search_spaces.errors import require, require_at_least, unknown
from search_spaces.schedule import Schedule
from study.cli import DATA_ROOT
from study.evidence.searches.arms import ARMS
from study.evidence.searches.evaluated_search import Row, contest
from study.evidence.searches.testbed import ground
from study.executors.choice import Engine
from study.executors.replay import ReplayEngine
from study.search.configuration import Configuration
from study.search.confirm import FIRST_FRESH_SEED, confirm


@dataclass(frozen=True)
class Searches:
    """What all searches of a comparison share."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that all arms change; of recorded runs, the workload is that of the recording."""
    compare: str = "pruners"
    """What is compared: a name in study/comparisons/arms.py, as pruners, rungs, floors, samplers or batches."""
    trials: int = 50
    """Trials per search."""
    equal_epochs: bool = True
    """Search on until all arms have spent what the trials take unpruned."""
    confirm_seeds: int = 5
    """live: fresh training seeds that judge what was found."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        given = self.configuration
        require(given.pruner == "horizon", "the arms choose the pruner: leave out --pruner", given.pruner)
        require(given.sampler_seed == 0, "use --first-search-seed, not --sampler-seed", given.sampler_seed)
        require_at_least(1, self, "trials", "confirm_seeds")
        if self.compare not in ARMS:
            raise unknown("comparison", self.compare, ARMS)


def one_search(searches: Searches, file: Path | None, arm: str, seed: int, timed: dict[int, float]) -> Row:
    """Search with one arm and one seed, and judge all that was found on the way. timed: what `rates` gives."""
    here = ground(searches.configuration, file, searches.data_root)
    configuration = replace(here.configuration, sampler_seed=seed, **ARMS[searches.compare][arm])
    steps = here.workload.steps_per_epoch
    together = configuration.most_together(steps) if configuration.generation_size(steps) > 1 else 1
    epochs = searches.equal_epochs * searches.trials * configuration.epochs
    recorded = here.recorded
    if recorded is None:
        seeds = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + searches.confirm_seeds)

        @cache
        def judged(schedule: Schedule) -> float:
            values = confirm(here.workload, schedule, configuration.epochs, seeds, len(seeds))
            return sum(values) / len(values)

        return contest(here.workload, configuration, Engine(together), arm, searches.trials, epochs, judged)

    def true_error(schedule: Schedule) -> float:
        return recorded.schedules[recorded.nearest(schedule)].truth

    def full_error(schedule: Schedule) -> float:
        return recorded.schedules[recorded.nearest(schedule)].runs[configuration.epochs].metrics[-1]

    engine = ReplayEngine(recorded=recorded)
    return contest(here.workload, configuration, engine, arm, searches.trials, epochs, true_error, full_error, timed)
