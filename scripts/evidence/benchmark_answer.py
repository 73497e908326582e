"""Measure how optimistic the value of a search's winner is, and what choosing over fresh seeds gains.

Example:
    python scripts/evidence/benchmark_answer.py --search-seeds 20
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from search_spaces.errors import require_at_least
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
    trials: int = 50
    """Trials of each search."""
    name: str = "answers"
    """Name of the files."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials")


def main(options: Options) -> None:
    """Search, evaluate, print the table and write it."""
    # these load torch and Optuna: after the flags
    from study.evidence.answers import AnsweredSearch, answered_search, answers_page
    from study.evidence.rows_by_seed import rows_by_seed
    from study.evidence.searched_study import objective_of

    own = (options.workload, options.search, options.trials)
    one = partial(answered_search, *own, data_root=options.data_root)
    rows = rows_by_seed(options.repeats, options.name, AnsweredSearch, one)
    name = objective_of(options.workload, options.data_root).name
    text = answers_page(rows, f"{name}, {options.search.epochs} epochs")
    (options.repeats.output / f"{options.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
