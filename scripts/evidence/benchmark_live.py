"""Compare the default search with what people do without it, at equal cost, every run trained.

Example:
    python scripts/evidence/benchmark_live.py --search-seeds 16
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from search_spaces.errors import require_at_least, unknown
from study.cli import run_command
from study.evidence.repeats import Repeats
from study.search.configuration import Configuration
from study.workloads.options import DATA_ROOT, WorkloadOptions

FURTHER = ("finals", "unpruned", "pruners", "process")


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workload: WorkloadOptions
    search: Configuration
    repeats: Repeats
    trials: int = 50
    """Trials of each search."""
    confirm_seeds: int = 8
    """Fresh seeds that evaluate what each arm would use."""
    also: tuple[str, ...] = FURTHER
    """Further arms: longer finals, our search unpruned, Optuna's pruners (slow), a Gaussian process over the peak."""
    name: str = "live"
    """Name of the files."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials", "confirm_seeds")
        for name in self.also:
            if name not in FURTHER:
                raise unknown("further arm", name, FURTHER)


def main(options: Options) -> None:
    """Search in every way, print the table and write it."""
    # these load torch and Optuna: after the flags
    from study.evidence.live_searches import LiveResult, live_page, live_results
    from study.evidence.rows_by_seed import rows_by_seed
    from study.evidence.searched_study import objective_of

    own = (options.workload, options.search, options.trials, options.confirm_seeds, options.also)
    one = partial(live_results, *own, data_root=options.data_root)
    rows = rows_by_seed(options.repeats, options.name, LiveResult, one)
    name = objective_of(options.workload, options.data_root).name
    text = live_page(rows, f"{name}, {options.search.epochs} epochs", options.confirm_seeds)
    (options.repeats.output / f"{options.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
