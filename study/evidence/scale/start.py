"""What Ray costs before and beside the training: seconds to start, and bytes of what is sent."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass

from search_spaces import Cosine
from study.executors.options import ExecutorOptions
from study.executors.ray_actors import RayActors
from study.executors.ray_cluster import ray_running
from study.executors.side_by_side import train_whole
from study.objective import Objective, Run, never


@dataclass(frozen=True)
class StartOfRay:
    """Seconds of each stage, with a number of actors, and bytes.

    running: until Ray runs here. first: until one actor has the objective. all_actors: until all have. ended: to end it
    all. round_trip: of a call that trains nothing. objective: bytes that each actor reads once.
    runs, evaluations: bytes of a cohort, there and back.
    """

    actors: int
    running: float
    first: float
    all_actors: float
    ended: float
    round_trip: float
    objective: int
    runs: int
    evaluations: int


def start_of_ray(objective: Objective, actors: int, epochs: int, cohort: int) -> StartOfRay:
    """Start Ray here, load the objective in actors, call them, and end it."""
    options = ExecutorOptions(executor="ray", workers=actors)
    runs = [Run(Cosine(peak_lr=objective.peak_lr[0]), epochs, 0, evaluations=epochs) for _ in range(cohort)]
    began = time.perf_counter()
    with ray_running(options):
        running = time.perf_counter()
        with RayActors(objective, actors, options) as pool:
            first = time.perf_counter()
            while not all(slot.loaded for slot in pool.slots):
                pool.look(1.0)
            loaded = time.perf_counter()
            round_trip = min(seconds_of_nothing(pool) for _ in range(20))
            ending = time.perf_counter()
    return StartOfRay(
        actors,
        running - began,
        first - running,
        loaded - running,
        time.perf_counter() - ending,
        round_trip,
        sent(objective),
        sent(runs),
        sent(train_whole(objective, runs, never)),
    )


def seconds_of_nothing(pool: RayActors) -> float:
    """Seconds of a call that trains nothing, there and back."""
    began = time.perf_counter()
    pool.call(nothing)
    return time.perf_counter() - began


def nothing(objective: Objective) -> None:
    """Train nothing."""


def sent(what: object) -> int:
    """Bytes of an object that goes to another process."""
    return len(pickle.dumps(what, protocol=5))
