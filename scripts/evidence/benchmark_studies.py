"""Race whole studies: ours, by default and with TPE, against Optuna with the loop of PyTorch's tutorials."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import optuna
import torch

from search_spaces.errors import require_at_least
from study.cli import DATA_ROOT, run_command
from study.evidence.speed.studies import Entrant, Raced, our_study, overhead, race
from study.evidence.speed.studies_report import page
from study.evidence.speed.tutorial_loop import tutorial_study
from study.search.configuration import Configuration
from study.storage.csv_rows import write_csv
from study.storage.provenance import provenance
from study.storage.url import make_folder
from study.workloads.workload import Workload


@dataclass(frozen=True)
class Options:
    """Race whole studies over many search seeds, on the CPU of this machine."""

    races: int = 10
    """Search seeds; every study once for each, in turn with the others."""
    trials: int = 50
    """Trials of each study."""
    confirm_seeds: int = 5
    """Fresh training seeds that judge each winner."""
    long_study: int = 200
    """Trials of the default study that shows what a trial costs besides training; 0 for none."""
    output: Path = Path("results/speed")
    """Folder for studies.md, studies.csv and studies.json."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "races", "trials", "confirm_seeds")
        require_at_least(0, self, "long_study")


def main(options: Options) -> None:
    """Race, print, and write what was measured and what it was made with."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    configuration = Configuration()
    workload = configuration.make_workload(options.data_root)
    make_folder(options.output)
    made = provenance(torch.device("cpu"))
    entrants = [
        Entrant("Optuna with the tutorial loop", configuration, tutorial_study),
        Entrant("this project, by default", configuration, ours),
        Entrant("this project, --sampler tpe", replace(configuration, sampler="tpe"), ours),
    ]
    raced: list[Raced] = []
    with tempfile.TemporaryDirectory() as name:
        for seed in range(options.races):
            for number, entrant in enumerate(entrants):
                database = Path(name) / f"{number}-{seed}.db"
                raced.append(race(entrant, workload, options.trials, seed, options.confirm_seeds, database))
                print(raced[-1], flush=True)
        outside = {}
        if options.long_study:
            at = [min(options.trials, options.long_study), options.long_study]
            outside = overhead(workload, configuration, at, Path(name) / "long.db")
    report = page(raced, outside, options.trials, options.confirm_seeds)
    print(report)
    (options.output / "studies.md").write_text(report)
    write_csv(options.output / "studies.csv", [asdict(one) for one in raced])
    (options.output / "studies.json").write_text(json.dumps(made, indent=2) + "\n")


def ours(workload: Workload, configuration: Configuration, trials: int, database: Path) -> optuna.Study:
    """This project's study."""
    return our_study(workload, configuration, trials, database)[0]


if __name__ == "__main__":
    run_command(Options, main)
