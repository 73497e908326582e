"""Compare families of schedules fairly: tune each with the same number of trials, then evaluate its best on test.

Examples:
    python scripts/benchmark.py --epochs 5 20 80    # three budgets
    python scripts/report.py --study NAME           # its report

The same command again resumes the benchmark.
"""

from __future__ import annotations

import study.early  # noqa: F401

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from search_spaces.errors import require, require_at_least
from study.cli import plain_console, quick_imports, run_command
from study.executors.options import ExecutorOptions
from study.flags import Device, Shown
from study.objective import Unit
from study.search.configuration import UNPRUNED, SearchOptions
from study.storage.place import check_artifacts
from study.storage.url import DEFAULT_STORAGE, parse
from study.training.training_options import TrainingOptions, require_alone
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line gives."""

    trials_per_family: int = 50
    """Trials that tune each family, at each budget."""
    epochs: tuple[int, ...] = (20,)
    """Budgets: epochs of a full run."""
    steps: tuple[int, ...] = ()
    """Budgets in optimizer steps, instead of --epochs."""
    workload: WorkloadOptions
    training: TrainingOptions
    search: SearchOptions = UNPRUNED
    executor: ExecutorOptions
    confirm_seeds: int = 16
    """Fresh training seeds that evaluate the best schedule of each family on test."""
    device: Device = "auto"
    """cpu, cuda, or auto: CUDA if there is a GPU."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the studies."""
    name: str | None = None
    """Name of the benchmark. Default: derived from dataset, model and optimizer."""
    search_seeds: Annotated[int, Shown("search")] = 1
    """Repeats of the whole search, to separate search variance from seed variance."""
    artifacts: Annotated[str | None, Shown("rarely needed", "PLACE")] = None
    """Folder or s3://BUCKET/PREFIX for pictures and curves of trials. Default: as before, or beside the database."""
    data_root: Annotated[Path, Shown("workload", "PATH")] = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    common: ClassVar = (
        *("epochs", "trials_per_family", "families", "space", "dataset", "model", "optimizer", "workload"),
        *("train", "command", "confirm_seeds", "device", "storage", "name"),
    )

    def __post_init__(self) -> None:
        require(len(self.epochs) >= 1, "--epochs needs at least one budget", self.epochs)
        require(all(epochs >= 1 for epochs in self.epochs), "--epochs must be at least 1", self.epochs)
        require_at_least(1, self, "trials_per_family", "confirm_seeds", "search_seeds")
        if self.steps:
            require(all(steps >= 1 for steps in self.steps), "--steps must be at least 1", self.steps)
            require(self.epochs == (20,), "give --epochs or --steps, not both", self.epochs)
        require_alone(self.training, self.workload)
        parse(self.storage)
        check_artifacts(self.artifacts)


def main(options: Options) -> None:
    """Tune and confirm every part, and print how it goes."""
    with quick_imports():  # these load torch: after the flags
        from study.assembly import plan_comparison
        from study.shown import compare_and_show
        from study.source import chosen_source, make_objective

    what = chosen_source(options.workload, options.training, options.executor)
    repeats = (options.search_seeds, options.confirm_seeds)
    objective = make_objective(what, options.device, options.data_root, options.executor)
    unit: Unit = "steps" if options.steps else "epochs"
    budgets = options.steps or options.epochs
    where, console = (options.storage, options.name), plain_console()
    plan = plan_comparison(
        what, objective, options.search, budgets, *repeats, *where, unit, console.print, options.artifacts
    )
    compare_and_show(plan, options.executor, options.trials_per_family, console)


if __name__ == "__main__":
    run_command(Options, main)
