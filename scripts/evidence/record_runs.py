"""Record the runs of many schedules of one workload: benchmark_search.py searches among them.

Examples:
    python scripts/evidence/record_runs.py --dataset mnist1d --model mlp --per-family 40
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from search_spaces.errors import require_at_least
from study.cli import run_command
from study.search.configuration import Configuration
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives. Of the search, only epochs, rungs, families and space count."""

    workload: WorkloadOptions
    search: Configuration
    per_family: int = 40
    """Schedules of each family."""
    confirm_seeds: int = 5
    """Fresh training seeds that evaluate each schedule on test."""
    cohort: int = 48
    """Most runs trained together. Models that cannot be stacked are trained one by one."""
    threads: int = 1
    """Threads of torch."""
    output: Path = Path("results/search/recorded")
    """Folder for the recorded runs."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "per_family", "confirm_seeds", "cohort", "threads")


def main(options: Options) -> None:
    """Train all, then write the file."""
    import optuna  # these load torch and Optuna: after the flags
    import torch

    from study.evidence.fresh_seeds import trainer
    from study.evidence.searches.record import record
    from study.executors.recorded_runs import recorded_path
    from study.source import make_objective

    torch.set_num_threads(options.threads)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    what, configuration = options.workload, options.search
    objective = make_objective(what, "cpu", options.data_root)
    configuration.check(objective)
    executor = trainer(objective, options.cohort)
    parts = record(what, objective, configuration, executor, options.per_family, options.confirm_seeds)
    while True:
        try:
            print(next(parts), flush=True)
        except StopIteration as end:
            recorded = end.value
            break
    path = recorded_path(options.output, what.subject, configuration.epochs)
    recorded.write(path)
    print(f"{len(recorded.schedules)} schedules in {path}")


if __name__ == "__main__":
    run_command(Options, main)
