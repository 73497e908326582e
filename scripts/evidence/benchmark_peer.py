"""Compare our search with Ray Tune's OptunaSearch and ASHAScheduler: same workload, space, trials and full length.

Ray Tune takes the families, the space, the epochs and the train seed of the search.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from search_spaces.errors import InputError, require, require_at_least
from study.cli import run_command
from study.search.configuration import Configuration
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workload: WorkloadOptions
    search: Configuration
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
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        if self.search.sampler_seed:
            raise InputError(f"use --first-search-seed, not --sampler-seed {self.search.sampler_seed}")
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        require_at_least(1, self, "search_seeds", "trials", "confirm_seeds")


def main(options: Options) -> None:
    """Run both sides seed by seed, print, and write the results and what they were made with."""
    import torch  # these load torch, Optuna and Ray: after the flags

    from study.assembly import plan_search
    from study.evidence.fresh_seeds import mean_test
    from study.evidence.schedules_alone import require_schedules_alone
    from study.evidence.speed.ray_tune import ray_study
    from study.evidence.speed.studies import StudyMaker, our_study
    from study.evidence.speed.studies_report import PeerStudy, table_of_peers
    from study.source import make_objective
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

    makers: dict[str, StudyMaker] = {
        "Ray Tune, OptunaSearch and ASHA": ray_study,
        "this project, by default": our_study,
    }
    require_schedules_alone(options.search)
    what, epochs = options.workload, options.search.epochs
    objective = make_objective(what, "cpu", options.data_root)
    make_folder(options.output)
    sides: dict[str, list[PeerStudy]] = {name: [] for name in makers}
    for seed in range(options.first_search_seed, options.first_search_seed + options.search_seeds):
        configuration = replace(options.search, sampler_seed=seed)
        for name, make in makers.items():
            with tempfile.TemporaryDirectory() as folder:
                storage = f"sqlite:///{folder}/studies.db"
                plan = plan_search(what, objective, configuration, storage)
                found = make(plan, options.trials)
            error = mean_test(objective, found.schedule, epochs, options.confirm_seeds)
            costs = found.trials, round(found.epochs, 2), round(found.seconds, 2)
            sides[name].append(study := PeerStudy(name, seed, *costs, found.schedule.family, error))
            print(study, flush=True)
    report = (
        f"{objective.name}, {epochs} epochs; search seeds from {options.first_search_seed}, winners evaluated on test "
        f"over {options.confirm_seeds} fresh training seeds. Wall time in seconds, excluding the start of Python and "
        f"Ray, and making the data. Mean [95 % BCa bootstrap interval].\n\n{table_of_peers(*sides.values())}\n"
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
