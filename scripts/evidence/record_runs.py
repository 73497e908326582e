"""Record the runs of many schedules of one workload, for scripts/evidence/benchmark_search.py to search among.

python scripts/evidence/record_runs.py --dataset mnist1d --model mlp --per-family 40
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import optuna
import torch
import tyro

from search_spaces.errors import require_at_least
from study.cli import DATA_ROOT, run_command
from study.evidence.searches.record import record
from study.executors.recorded_runs import recorded_path
from study.search.configuration import Configuration


@dataclass(frozen=True)
class Options:
    """Record the runs of many schedules of one workload."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The workload, the length of a full run, the families."""
    per_family: int = 40
    """Schedules of each family."""
    judge_seeds: int = 5
    """Fresh training seeds that judge each schedule on test."""
    cohort: int = 48
    """Most runs trained together."""
    threads: int = 1
    """Of torch."""
    output: Path = Path("results/search/recorded")
    """Folder of the recorded runs."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "per_family", "judge_seeds", "cohort", "threads")


def main(options: Options) -> None:
    """Train all, then write the file."""
    torch.set_num_threads(options.threads)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    configuration = options.configuration
    workload = configuration.make_workload(options.data_root)
    parts = record(configuration, workload, options.per_family, options.judge_seeds, options.cohort)
    while True:
        try:
            print(next(parts), flush=True)
        except StopIteration as end:
            recorded = end.value
            break
    path = recorded_path(options.output, configuration)
    recorded.write(path)
    print(f"{len(recorded.schedules)} schedules in {path}")


if __name__ == "__main__":
    run_command(Options, main)
