"""Search for the best learning-rate schedule for a model, its data and a budget.

Examples:
    python scripts/search.py --trials 50
    python scripts/search.py --dataset digits --model cnn --epochs 10
    python scripts/search.py --train my_module:train --epochs 10          # your own training function
    python scripts/search.py --command "python train.py --epochs {epochs} --seed {seed}" --epochs 10

The same command again resumes the study; a larger --trials adds to it.
"""

from __future__ import annotations

import study.early  # noqa: F401

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from search_spaces.errors import require
from search_spaces.space_file import space_toml
from study.cli import plain_console, quick_imports, run_command
from study.executors.options import ExecutorOptions
from study.flags import Device, Shown
from study.reports.table_names import check_tables
from study.search.configuration import Configuration, check_confirm_seeds
from study.search.limit import Limit
from study.storage.place import check_artifacts
from study.storage.url import DEFAULT_STORAGE, parse
from study.training.training_options import TrainingOptions, require_alone
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line gives."""

    trials: int = 50
    """Stop once the study has this many finished trials, earlier runs included."""
    workload: WorkloadOptions
    training: TrainingOptions
    search: Configuration
    executor: ExecutorOptions
    limit: Limit
    device: Device = "auto"
    """cpu, cuda, or auto: CUDA if there is a GPU."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    study: str | None = None
    """Name of the study. Default: derived from dataset, model, optimizer and epochs."""
    show: Annotated[tuple[str, ...], Shown(metavar="TABLE")] = ()
    """Tables to print above the verdict: families, importance, peaks, audit, edges."""
    enqueue: Annotated[tuple[str, ...], Shown("search")] = ()
    """Schedules to try first: files written by export.py --format json, or study:NAME for the winner of a study."""
    reference: Annotated[str | None, Shown("search")] = None
    """What the answer is compared with, at its best peak: a family, a JSON file of export.py, or none. Default: a
    cosine to 0 after a warm-up of 5 %."""
    confirm_seeds: Annotated[int | None, Shown("search")] = None
    """Fresh seeds that confirm the answer on test; 0 for none. Default: 8, fewer if a run takes more than a minute."""
    accept_changes: bool = False
    """Continue a study although your files or model have changed since it was made."""
    dry_run: bool = False
    """Show what would be searched, with the first runs of your own training; store nothing."""
    print_space: Annotated[bool, Shown("search")] = False
    """Print the search space as a file for --space, and exit."""
    artifacts: Annotated[str | None, Shown("rarely needed", "PLACE")] = None
    """Folder or s3://BUCKET/PREFIX for pictures and curves of trials. Default: as before, or beside the database."""
    data_root: Annotated[Path, Shown("workload", "PATH")] = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    common: ClassVar = (
        *("trials", "epochs", "families", "space", "dataset", "model", "optimizer", "workload"),
        *("train", "command", "max_cost", "max_hours", "device", "storage", "study", "show", "dry_run"),
    )

    def __post_init__(self) -> None:
        require(self.trials >= 1, "--trials must be at least 1", self.trials)
        require_alone(self.training, self.workload)
        parse(self.storage)
        check_artifacts(self.artifacts)
        check_tables(self.show)
        check_confirm_seeds(self.confirm_seeds)


def main(options: Options) -> None:
    """Search, and print what was found, also when interrupted."""
    with quick_imports():  # these load torch: after the flags
        from study.assembly import plan_search, within
        from study.reports.search_console import print_plan
        from study.shown import search_and_show
        from study.source import chosen_source, make_objective

    console, quiet = plain_console(), plain_console(quiet=options.print_space)
    source = chosen_source(options.workload, options.training, options.executor)
    storage = None if options.dry_run or options.print_space else options.storage
    objective = make_objective(source, options.device, options.data_root, options.executor)
    search, known = options.search, options.enqueue
    plan = plan_search(
        *(source, objective, search, storage, options.study, None, known, options.reference, quiet.print),
        *(options.accept_changes, options.artifacts),
    )
    if options.print_space:
        search = plan.configuration
        ranges = {**search.space_file.ranges, **search.besides(plan.objective)}
        console.print(space_toml(search.families, plan.objective.peak_lr, ranges), end="")
        return
    plan, trials = within(plan, options.limit, options.executor, options.trials)
    if options.dry_run:
        print_plan(console, plan, trials)
        return
    search_and_show(plan, options.executor, trials, console, options.show, options.confirm_seeds)


if __name__ == "__main__":
    run_command(Options, main)
