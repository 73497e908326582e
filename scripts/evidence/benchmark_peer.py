"""Compare our search with Ray Tune's OptunaSearch and ASHAScheduler: the same workload, space, trials, full length."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import torch
import tyro

from search_spaces.errors import require, require_at_least
from study.api import DATA_ROOT, make_objective, plan_search
from study.cli import run_command
from study.evidence.fresh_seeds import mean_test
from study.evidence.speed.ray_tune import ray_study
from study.evidence.speed.studies import StudyMaker, our_study
from study.evidence.speed.studies_report import PeerStudy, table_of_peers
from study.search.configuration import Configuration
from study.storage.csv_rows import write_csv
from study.storage.provenance import provenance
from study.storage.url import make_folder
from study.workloads.options import WorkloadOptions

SIDES: dict[str, StudyMaker] = {
    "Ray Tune, OptunaSearch and ASHA": ray_study,
    "this project, by default": our_study,
}
"""Theirs, ours."""


@dataclass(frozen=True)
class Options:
    """Compare our default search with Ray Tune's, both sides in one run."""

    workload: Annotated[WorkloadOptions, tyro.conf.OmitArgPrefixes]
    """What is trained."""
    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search: Ray takes its families, space, epochs and train seed."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    search_seeds: int = 5
    """Searches on each side."""
    trials: int = 50
    """Trials per search."""
    confirm_seeds: int = 5
    """Fresh training seeds that evaluate each winner."""
    output: Path = Path("results/search")
    """Folder for peer.md, peer.csv and peer.json."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""

    def __post_init__(self) -> None:
        given = self.configuration.sampler_seed
        require(given == 0, "use --first-search-seed, not --sampler-seed", given)
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        require_at_least(1, self, "search_seeds", "trials", "confirm_seeds")


def main(options: Options) -> None:
    """Run both sides seed by seed, print, and write what was found and what it was made with."""
    what, epochs = options.workload, options.configuration.epochs
    objective = make_objective(what, "cpu", options.data_root)
    make_folder(options.output)
    sides: dict[str, list[PeerStudy]] = {name: [] for name in SIDES}
    for seed in range(options.first_search_seed, options.first_search_seed + options.search_seeds):
        configuration = replace(options.configuration, sampler_seed=seed)
        for name, make in SIDES.items():
            with tempfile.TemporaryDirectory() as folder:
                storage = f"sqlite:///{folder}/studies.db"
                plan = plan_search(what, objective, configuration, storage)
                found = make(plan, options.trials)
            error = mean_test(objective, found.schedule, epochs, options.confirm_seeds)
            costs = found.trials, round(found.epochs, 2), round(found.seconds, 2)
            sides[name].append(study := PeerStudy(name, seed, *costs, found.schedule.family, error))
            print(study, flush=True)
    report = (
        f"{objective.name}, {epochs} epochs; search seeds from {options.first_search_seed}, the winners on test over "
        f"{options.confirm_seeds} fresh training seeds. Seconds of wall time, without starting Python and Ray, and "
        f"making the data. Mean [95 % BCa bootstrap interval].\n\n{table_of_peers(*sides.values())}\n"
    )
    print(report)
    stem = options.output / "peer"
    manifest = provenance(torch.device("cpu"))  # before files change what git says
    manifest["versions"]["ray"] = version("ray")
    stem.with_suffix(".md").write_text(report)
    write_csv(stem.with_suffix(".csv"), [asdict(study) for side in sides.values() for study in side])
    stem.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    run_command(Options, main)
