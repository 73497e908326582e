"""Measure what a longer run loses if its schedule is extended from a short study.

Example:
    python scripts/evidence/benchmark_extension.py --epochs 5 --long 20
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from search_spaces.errors import require, require_at_least
from study.cli import run_command
from study.evidence.repeats import Repeats
from study.search.configuration import Configuration
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workload: WorkloadOptions
    search: Configuration
    repeats: Repeats
    long: int = 200
    """Epochs of the longer run."""
    trials: int = 50
    """Trials of each search."""
    confirm_seeds: int = 8
    """Fresh seeds that evaluate a schedule at the long length."""
    name: str = "extensions"
    """Name of the files."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials", "confirm_seeds")
        require(self.long > self.search.epochs, "--long must be above --epochs", self.long)


def main(options: Options) -> None:
    """Search, evaluate, print the table and write it."""
    # these load torch and Optuna: after the flags
    from study.evidence.extensions import ExtendedSearch, extended_search, extensions_page
    from study.evidence.rows_by_seed import rows_by_seed
    from study.evidence.searched_study import objective_of

    own = (options.workload, options.search, options.long, options.trials, options.confirm_seeds)
    one = partial(extended_search, *own, data_root=options.data_root)
    rows = rows_by_seed(options.repeats, options.name, ExtendedSearch, one)
    name = objective_of(options.workload, options.data_root).name
    text = extensions_page(rows, f"{name}, {options.search.epochs} to {options.long} epochs", options.confirm_seeds)
    (options.repeats.output / f"{options.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
