"""Search for the best learning-rate schedule: `python scripts/search.py --trials 50`.

Run it again to go on where it was stopped, or with more trials to add to the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from search_spaces.errors import require
from search_spaces.space_file import space_toml
from study.api import DATA_ROOT, make_objective, plan_search, search_and_show
from study.cli import plain_console, run_command
from study.executors.choice import ExecutorOptions
from study.reports.terminal import check_tables
from study.search.configuration import Configuration
from study.storage.url import DEFAULT_STORAGE
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class Options:
    """Search for the best learning-rate schedule with an Optuna study over families and their parameters."""

    workload: Annotated[WorkloadOptions, tyro.conf.OmitArgPrefixes]
    """What is trained."""
    search: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """How schedules are searched."""
    executor: Annotated[ExecutorOptions, tyro.conf.OmitArgPrefixes]
    """How runs are trained."""
    trials: int = 50
    """Stop once the study has this many finished trials."""
    study: str | None = None
    """Name of the study. None: derived from dataset, model, optimizer and epochs."""
    enqueue: tuple[str, ...] = ()
    """Known schedules to try first: files that `export.py --format json` writes, or study:NAME for its winner."""
    storage: str = DEFAULT_STORAGE
    """Database that keeps the study."""
    device: str = "auto"
    """auto (CUDA where there is one), cpu or cuda."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""
    show: tuple[str, ...] = ()
    """Tables to print before the verdict: families, importance, peaks, audit, edges."""
    print_space: bool = False
    """Print the search space in force as a file for --space, and end."""

    def __post_init__(self) -> None:
        require(self.trials >= 1, "--trials must be at least 1", self.trials)
        check_tables(self.show)


def main(options: Options) -> None:
    """Search, and print what was found, also when interrupted."""
    console, search = plain_console(), options.search
    objective = make_objective(options.workload, options.device, options.data_root)
    if options.print_space:
        search.check(objective)
        console.print(space_toml(search.families, objective.peak_lr, search.space_file.ranges), end="")
        return
    plan = plan_search(options.workload, objective, search, options.storage, options.study, enqueue=options.enqueue)
    search_and_show(plan, options.executor, options.trials, console, options.show)


if __name__ == "__main__":
    run_command(Options, main)
