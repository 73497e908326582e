"""Measure what more devices cost and gain: idle devices, the owner's work, the start of Ray, and efficiency.

Examples:
    python scripts/evidence/benchmark_scale.py --measure makespan    # a simulation, in seconds
    python scripts/evidence/benchmark_scale.py --measure efficiency --dataset fashion-mnist --model cnn --epochs 2

Efficiency needs a quiet machine of two cores at least.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from search_spaces.errors import require_at_least, unknown
from study.cli import run_command
from study.search.configuration import Configuration
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions

MEASUREMENTS = ("makespan", "owner", "start", "efficiency")
WITH_RAY = ("start", "efficiency")
DEVICES = (1, 2, 4, 8, 16, 64, 256, 1024)
RECORDED = Path("results/search/recorded/mnist1d-mlp-sgd-20-epochs.jsonl")


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workload: WorkloadOptions
    search: Configuration
    measure: tuple[str, ...] = MEASUREMENTS
    """makespan, owner, start, efficiency."""
    trials: int = 12
    """Trials of each study whose efficiency is measured."""
    most_trials: int = 10_000
    """Trials of the studies whose owner's work is measured."""
    studies: tuple[int, ...] = (50, 500, 5000)
    """Trials of the studies that are simulated."""
    samplers: tuple[str, ...] = ("random", "gp")
    """Samplers of the studies whose owner's work is measured: one that costs nothing, and the default."""
    actors: tuple[int, ...] = (1, 8, 64)
    """Stand-ins for actors, for the owner's work."""
    processes: int = 1
    """Studies whose owner's work is measured at a time, each on a core of its own."""
    workers: tuple[int, ...] = (1, 2)
    """Actors and processes that are started."""
    recorded: Path = RECORDED
    """Recorded runs, whose lengths and values the simulation and the owner's work use."""
    output: Path = Path("results/scale")
    """Folder for a page, a CSV and a manifest of each."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials", "most_trials", "processes")
        for name in self.measure:
            if name not in MEASUREMENTS:
                raise unknown("measurement", name, MEASUREMENTS)


Measured = tuple[str, list[dict[str, Any]]]
"""A page, and the rows of its CSV."""


def main(options: Options) -> None:
    """Measure, print and write."""
    import torch  # these load torch and Optuna: after the flags

    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

    torch.set_num_threads(1)
    ways: dict[str, Callable[[Options], Measured]] = {
        "makespan": makespan,
        "owner": owner,
        "start": start,
        "efficiency": efficiency,
    }
    make_folder(options.output)
    for name in options.measure:
        manifest = provenance(torch.device("cpu"))  # before files change what git says
        if name in WITH_RAY:
            manifest["versions"]["ray"] = version("ray")
        page, rows = ways[name](options)
        print(page)
        (options.output / f"{name}.md").write_text(page)
        write_csv(options.output / f"{name}.csv", rows)
        (options.output / f"{name}.json").write_text(json.dumps(manifest, indent=2) + "\n")


def makespan(options: Options) -> Measured:
    """The simulation."""
    from study.evidence.scale.makespan import RecordedLengths, Shape, filling, simulate
    from study.evidence.scale.pages import page_of_makespan
    from study.evidence.searches.testbed import open_testbed

    testbed = open_testbed(options.workload, options.search, options.recorded, 1, options.data_root)
    assert testbed.recorded is not None
    objective, search = testbed.objective, testbed.configuration
    steps = objective.steps(1)
    runs = RecordedLengths.of(testbed.recorded, search.budgets(steps), steps, objective.metric.sign)
    default = (search.trials_per_batch, search.trials_per_bracket)
    studies = [(trials, devices) for trials in options.studies for devices in DEVICES]
    shapes = {
        "one by one": [Shape(trials, *default) for trials, _ in studies],
        "one ahead": [Shape(trials, *default, ahead=1) for trials, _ in studies],
        "four ahead": [Shape(trials, *default, ahead=4) for trials, _ in studies],
        "batches of two runs a device, one by one": [filling(trials, devices, 0) for trials, devices in studies],
        "the same, one ahead": [filling(trials, devices, 1) for trials, devices in studies],
    }
    found = {
        name: [
            simulate(devices, shape, runs, search.reduction) for shape, (_, devices) in zip(each, studies, strict=True)
        ]
        for name, each in shapes.items()
    }
    rows = [
        {"brackets": name, "devices": one.devices, **asdict(one.shape), "time": one.time, "work": one.work}
        for name, each in found.items()
        for one in each
    ]
    return page_of_makespan(found), rows


def owner(options: Options) -> Measured:
    """The owner's work."""
    from study.evidence.scale.owner import owners_cost
    from study.evidence.scale.pages import page_of_owner

    most = options.most_trials
    ends = sorted({min(one, most) for one in (500, 1000, 2000, 5000, most)})
    samplers, actors = zip(*product(options.samplers, options.actors), strict=True)
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        parts = pool.map(
            owners_cost, repeat(options.recorded), samplers, actors, repeat(ends), repeat(options.data_root)
        )
        measured = [one for part in parts for one in part]
    return page_of_owner(measured), [asdict(one) for one in measured]


def start(options: Options) -> Measured:
    """The start of Ray, and bytes."""
    from study.evidence.scale.pages import page_of_start
    from study.evidence.scale.start import start_of_ray
    from study.source import make_objective

    objective, cohort = make_objective(options.workload, "cpu", options.data_root), 10
    measured = [start_of_ray(objective, actors, options.search.epochs, cohort) for actors in options.workers]
    return page_of_start(measured, objective.name, cohort), [asdict(one) for one in measured]


def efficiency(options: Options) -> Measured:
    """The same study with one and two workers of each kind."""
    from study.evidence.scale.efficiency import our_timed_study, tune_timed_study
    from study.evidence.scale.pages import page_of_efficiency
    from study.evidence.speed.ray_tune import require_ray_tune
    from study.source import make_objective

    require_ray_tune()
    what, search, trials = options.workload, options.search, options.trials
    objective = make_objective(what, "cpu", options.data_root)
    measured = [our_timed_study(what, objective, search, trials, "in-process", 1)]
    for workers in options.workers:
        for executor in ("processes", "ray"):
            measured.append(our_timed_study(what, objective, search, trials, executor, workers))
            print(measured[-1], flush=True)
        measured.append(tune_timed_study(objective, search, trials, workers))
        print(measured[-1], flush=True)
    name = f"{objective.name}, {search.epochs} epochs"
    return page_of_efficiency(measured, name), [asdict(one) for one in measured]


if __name__ == "__main__":
    run_command(Options, main)
