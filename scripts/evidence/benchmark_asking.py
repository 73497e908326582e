"""Measure what it costs to ask for trials in a long study, by sampler and number of trials."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import require, require_at_least, unknown
from study.cli import run_command
from study.search.configuration import SAMPLERS
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions

if TYPE_CHECKING:
    from study.evidence.speed.asking import Asking


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    samplers: tuple[str, ...] = SAMPLERS
    """Samplers to compare."""
    trials: tuple[int, ...] = (50, 2000, 10_000)
    """Numbers of trials in the study."""
    rounds: int = 3
    """Batches for each line of the table, each in a new bracket."""
    most_seconds: int = 120
    """CPU seconds for each line; it then says that there was no answer."""
    most_memory: int = 6000
    """Megabytes for each line; with more, it says so."""
    output: Path = Path("results/speed")
    """Folder for asking.md, asking.csv and asking.json."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds", "most_seconds", "most_memory")
        require(bool(self.trials) and min(self.trials) >= 1, "--trials must be at least 1", self.trials)
        for name in self.samplers:
            if name not in SAMPLERS:
                raise unknown("sampler", name, SAMPLERS)


def main(options: Options) -> None:
    """Measure, print the tables, and write them and what they were made with."""
    import torch  # these load torch and Optuna: after the flags

    from study.evidence.speed.asking import seconds_to_read
    from study.evidence.speed.asking_report import page_of_asking
    from study.source import make_objective
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance
    from study.storage.quiet import quiet_optuna

    make_folder(options.output)
    made = provenance(torch.device("cpu"))
    measured = []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for sampler in options.samplers:
            for trials in options.trials:
                measured.append(pool.submit(measure, options, sampler, trials).result())
                print(measured[-1], flush=True)
    objective = make_objective(WorkloadOptions(), "cpu", options.data_root)
    with quiet_optuna():
        reading = {trials: seconds_to_read(objective, trials) for trials in options.trials}
    report = page_of_asking(measured, reading, options.rounds)
    print(report)
    (options.output / "asking.md").write_text(report)
    write_csv(options.output / "asking.csv", [asdict(one) for one in measured])
    (options.output / "asking.json").write_text(json.dumps({"made": made, "reading": reading}, indent=2) + "\n")


def measure(options: Options, sampler: str, trials: int) -> Asking:
    """One line of the table."""
    from study.evidence.speed.asking import ask_batches
    from study.source import make_objective
    from study.storage.quiet import quiet_optuna

    objective = make_objective(WorkloadOptions(), "cpu", options.data_root)
    with quiet_optuna():
        return ask_batches(objective, sampler, trials, options.most_seconds, options.most_memory, options.rounds)


if __name__ == "__main__":
    run_command(Options, main)
