"""Time whole studies: ours, by default and with TPE, against Optuna with the loop of PyTorch's tutorials."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from search_spaces.errors import require_at_least
from study.cli import run_command
from study.search.configuration import Configuration
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    races: int = 10
    """Search seeds: every study runs once with each, in turn with the others."""
    trials: int = 50
    """Trials of each study."""
    confirm_seeds: int = 5
    """Fresh training seeds that evaluate each winner."""
    long_study: int = 200
    """Trials of one long default study, which shows the time per trial outside training; 0: do not run it."""
    output: Path = Path("results/speed")
    """Folder for studies.md, studies.csv and studies.json."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "races", "trials", "confirm_seeds")
        require_at_least(0, self, "long_study")


def main(options: Options) -> None:
    """Race, print, and write the measurements and what they were made with."""
    import optuna  # these load torch and Optuna: after the flags
    import torch

    from study.assembly import plan_search
    from study.evidence.speed.studies import RacedStudy, StudyMaker, our_study, overhead, race
    from study.evidence.speed.studies_report import page_of_races
    from study.evidence.speed.tutorial_loop import tutorial_study
    from study.search.study_plan import StudyPlan
    from study.source import make_objective
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    what = WorkloadOptions()
    objective = make_objective(what, "cpu", options.data_root)
    make_folder(options.output)
    made = provenance(torch.device("cpu"))
    ways: dict[str, tuple[StudyMaker, Configuration]] = {
        "Optuna with the tutorial loop": (partial(tutorial_study, objective.workload), Configuration()),
        "this project, by default": (our_study, Configuration()),
        "this project, --sampler tpe": (our_study, Configuration(sampler="tpe")),
    }
    raced: list[RacedStudy] = []
    with tempfile.TemporaryDirectory() as folder:

        def plan(configuration: Configuration, file: str) -> StudyPlan:
            storage = f"sqlite:///{folder}/{file}.db"
            return plan_search(what, objective, configuration, storage)

        for seed in range(options.races):
            for number, (name, (make, configuration)) in enumerate(ways.items()):
                planned = plan(replace(configuration, sampler_seed=seed), f"{number}-{seed}")
                raced.append(race(name, make, planned, options.trials, options.confirm_seeds))
                print(raced[-1], flush=True)
        outside = {}
        if options.long_study:
            at = [min(options.trials, options.long_study), options.long_study]
            outside = overhead(plan(Configuration(), "long"), at)
    report = page_of_races(raced, outside, options.trials, options.confirm_seeds)
    print(report)
    (options.output / "studies.md").write_text(report)
    write_csv(options.output / "studies.csv", [asdict(one) for one in raced])
    (options.output / "studies.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    run_command(Options, main)
