"""Compare families of schedules fairly: each is tuned with the same number of trials, then evaluated on test.

python scripts/benchmark.py --epochs 5 20 80          # three budgets; run it again to go on where it was stopped
python scripts/report.py --study NAME                 # the report; benchmark.py prints the name
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from search_spaces.errors import require, require_at_least
from study.api import DATA_ROOT, UNPRUNED, compare_and_show, make_objective, plan_comparison
from study.cli import plain_console, run_command
from study.executors.choice import ExecutorOptions
from study.search.configuration import SearchOptions
from study.storage.url import DEFAULT_STORAGE
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class Options:
    """Compare families of schedules: one study per family and budget, the best of each evaluated on test."""

    workload: Annotated[WorkloadOptions, tyro.conf.OmitArgPrefixes]
    """What is trained."""
    executor: Annotated[ExecutorOptions, tyro.conf.OmitArgPrefixes]
    """How runs are trained."""
    search: Annotated[SearchOptions, tyro.conf.OmitArgPrefixes] = UNPRUNED
    """The families, and how each is searched: every trial in full, unless a --pruner is named."""
    epochs: tuple[int, ...] = (20,)
    """Budgets: lengths of a full run."""
    trials_per_family: int = 50
    """Trials that tune each family, at each budget."""
    confirm_seeds: int = 16
    """Fresh training seeds that confirm the best schedule of each family."""
    search_seeds: int = 1
    """How often the whole search is repeated, to separate search variance from seed variance."""
    name: str | None = None
    """Of the benchmark. None: derived from dataset, model and optimizer."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the studies."""
    device: str = "auto"
    """auto (CUDA where there is one), cpu or cuda."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""

    def __post_init__(self) -> None:
        require(len(self.epochs) >= 1, "--epochs needs at least one budget", self.epochs)
        require(all(epochs >= 1 for epochs in self.epochs), "--epochs must be at least 1", self.epochs)
        require_at_least(1, self, "trials_per_family", "confirm_seeds", "search_seeds")


def main(options: Options) -> None:
    """Tune and confirm every part, and print how it goes."""
    what, repeats = options.workload, (options.search_seeds, options.confirm_seeds)
    objective = make_objective(what, options.device, options.data_root)
    plan = plan_comparison(what, objective, options.search, options.epochs, *repeats, options.storage, options.name)
    compare_and_show(plan, options.executor, options.trials_per_family, plain_console())


if __name__ == "__main__":
    run_command(Options, main)
