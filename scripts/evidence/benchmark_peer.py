"""Compare our search with Ray Tune's OptunaSearch and ASHAScheduler: the same workload, space, trials, full length."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Annotated

import torch
import tyro
from optuna.trial import TrialState

from search_spaces.errors import require, require_at_least
from study.cli import DATA_ROOT, run_command
from study.evidence.speed.found import Found, Tried, found
from study.evidence.speed.peer_report import Row, compared
from study.evidence.speed.ray_tune import ray_study
from study.evidence.speed.studies import our_study
from study.search.configuration import Configuration
from study.search.confirm import FIRST_FRESH_SEED, confirm
from study.storage.csv_rows import write_csv
from study.storage.provenance import provenance
from study.storage.records import finished_trials, spent_epochs
from study.storage.url import make_folder
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Options:
    """Compare our default search with Ray Tune's, both sides in one run."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search: Ray takes its workload, families, epochs and train seed."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    search_seeds: int = 5
    """Searches on each side."""
    trials: int = 50
    """Trials per search."""
    confirm_seeds: int = 5
    """Fresh training seeds that judge each winner."""
    output: Path = Path("results/search")
    """Folder for peer.md, peer.csv and peer.json."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        given = self.configuration.sampler_seed
        require(given == 0, "use --first-search-seed, not --sampler-seed", given)
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        require_at_least(1, self, "search_seeds", "trials", "confirm_seeds")


def main(options: Options) -> None:
    """Run both sides seed by seed, print, and write what was found and what it was made with."""
    workload = options.configuration.make_workload(options.data_root)
    make_folder(options.output)
    fresh = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + options.confirm_seeds)
    sides: dict[str, list[Row]] = {name: [] for name in STUDIES}
    for seed in range(options.first_search_seed, options.first_search_seed + options.search_seeds):
        configuration = replace(options.configuration, sampler_seed=seed)
        for name, study in STUDIES.items():
            one = study(workload, configuration, options.trials)
            error = mean(confirm(workload, one.schedule, configuration.epochs, fresh, len(fresh)))
            costs = one.trials, round(one.epochs, 2), round(one.seconds, 2)
            sides[name].append(row := Row(name, seed, *costs, one.schedule.family, error))
            print(row, flush=True)
    report = (
        f"{workload.name}, {options.configuration.epochs} epochs; search seeds from {options.first_search_seed}, the "
        f"winners on test over {options.confirm_seeds} fresh training seeds. Seconds of wall time, without starting "
        f"Python and Ray, and making the data. Mean [95 % BCa bootstrap interval].\n\n{compared(*sides.values())}\n"
    )
    print(report)
    stem = options.output / "peer"
    manifest = provenance(torch.device("cpu"))  # before files change what git says
    manifest["versions"]["ray"] = version("ray")
    stem.with_suffix(".md").write_text(report)
    write_csv(stem.with_suffix(".csv"), [asdict(row) for side in sides.values() for row in side])
    stem.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")


def our_search(workload: Workload, configuration: Configuration, trials: int) -> Found:
    """Search as scripts/search.py does, in a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        optuna_study, _ = our_study(workload, configuration, trials, Path(folder) / "ours.db")
        seconds = time.perf_counter() - began
        ended = finished_trials(optuna_study)
    tried = [Tried(one.params, spent_epochs(one), one.state == TrialState.COMPLETE, one.value or 0.0) for one in ended]
    return found(tried, workload.metric.direction, seconds)


STUDIES: dict[str, Callable[[Workload, Configuration, int], Found]] = {
    "Ray Tune, OptunaSearch and ASHA": ray_study,
    "this project, by default": our_search,
}
"""The two sides: theirs, ours."""


if __name__ == "__main__":
    run_command(Options, main)
