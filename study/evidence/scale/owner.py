"""What a trial costs the process that owns the study: its seconds by number of actors and of trials.

Runs are looked up, so they take no time, and the actors are stand-ins: what is left is the owner's own work.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from study.assembly import opened, plan_search
from study.evidence.searches.testbed import open_testbed
from study.executors.options import ExecutorOptions
from study.executors.replay import Replay
from study.executors.side_by_side import Lost, SideBySide, Trained
from study.objective import Run
from study.search.configuration import Configuration
from study.source import make_objective
from study.workloads.options import WorkloadOptions

T = TypeVar("T")


@dataclass(frozen=True)
class OwnersCost:
    """What a trial costs the owner, in a part of a study.

    trials: in the study at the end of this part. seconds, cpu: for each trial of this part, wall and CPU time.
    """

    sampler: str
    actors: int
    batch: int
    trials: int
    seconds: float
    cpu: float


class ReplayedActors:
    """`Workers` that look runs up. number: how many actors there seem to be, which all end at the same time."""

    def __init__(self, replay: Replay, number: int) -> None:
        self.replay, self.number = replay, number
        self.waiting: deque[tuple[int, Sequence[Run]]] = deque()
        self.attempts = 0

    def submit(self, runs: Sequence[Run]) -> int:
        self.attempts += 1
        self.waiting.append((self.attempts, runs))
        return self.attempts

    def ended(self, seconds: float) -> Mapping[int, Trained | Lost]:
        now = [self.waiting.popleft() for _ in range(min(self.number, len(self.waiting)))]
        return {attempt: Trained(list(self.replay.train(runs))) for attempt, runs in now}

    def leave(self, attempts: Collection[int]) -> None:
        self.waiting = deque(one for one in self.waiting if one[0] not in set(attempts))

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        return function(self.replay.objective, *arguments)


def owners_cost(file: Path, sampler: str, actors: int, ends: Sequence[int], data_root: Path) -> list[OwnersCost]:
    """The cost of a trial in the parts of one study, stored in SQLite as a search does. ends: of each part, ascending.

    A batch has a trial for each actor, and at least as many as by default.
    """
    testbed = open_testbed(WorkloadOptions(), Configuration(sampler=sampler), file, 1, data_root)
    assert testbed.recorded is not None
    default = testbed.configuration
    batch = max(actors, default.trials_per_batch)
    configuration = replace(
        default, trials_per_batch=batch, trials_per_bracket=max(batch, default.trials_per_bracket), sampler=sampler
    )
    workers = ReplayedActors(Replay(testbed.objective, testbed.recorded), actors)
    found, before, to_come = [], 0, list(ends)
    with tempfile.TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/studies.db"
        source = WorkloadOptions.stored(testbed.recorded.about.configuration)
        plan = plan_search(source, make_objective(source, "cpu", data_root), configuration, storage)
        with opened(plan, ExecutorOptions(engine="loop", executor="in-process")) as study:
            study.executor = SideBySide(testbed.objective, 1, workers)
            began, cpu = time.perf_counter(), time.process_time()
            for bracket in study.search(ends[-1]):
                stored = len(bracket.earlier) + len(bracket.stored)
                if not to_come or stored < to_come[0]:
                    continue
                to_come = [end for end in to_come if end > stored]
                seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
                trials = stored - before
                found.append(OwnersCost(sampler, actors, batch, stored, seconds / trials, cpu_seconds / trials))
                before, began, cpu = stored, began + seconds, cpu + cpu_seconds
    return found
