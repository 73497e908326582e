"""Measure how optimistic the value of a search's winner is, and what choosing over fresh seeds gains.

Example:
    python scripts/evidence/benchmark_answer.py --search-seeds 20
"""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from search_spaces.errors import InputError, require_at_least
from study.cli import run_command
from study.search.configuration import Configuration
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workload: WorkloadOptions
    search: Configuration
    trials: int = 50
    """Trials of each search."""
    search_seeds: int = 20
    """Searches."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    processes: int = 2
    """Searches at a time, with one thread each."""
    output: Path = Path("results/search")
    """Folder for the table (.md), the rows (.csv) and the manifest (.json)."""
    name: str = "answers"
    """Name of these files."""
    rebuild: bool = False
    """Write the table again from the rows that are there, without searching."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "trials", "processes")
        require_at_least(2, self, "search_seeds")
        require_at_least(0, self, "first_search_seed")


def main(options: Options) -> None:
    """Search, evaluate, print the table and write it."""
    import torch  # these load torch and Optuna: after the flags

    from study.evidence.answers import AnsweredSearch, answered_search, answers_page, objective_of
    from study.storage.csv_rows import read_csv, write_csv
    from study.storage.provenance import provenance

    stem = options.output / options.name
    rows: list[AnsweredSearch] = []
    if options.rebuild:
        if not stem.with_suffix(".csv").is_file():
            raise InputError(f"{stem}.csv does not exist: remove --rebuild")
        rows = [AnsweredSearch.read(line) for line in read_csv(stem.with_suffix(".csv"))]
    else:
        make_folder(options.output)
        seeds = range(options.first_search_seed, options.first_search_seed + options.search_seeds)
        one = partial(answered_search, options.workload, options.search, options.trials, data_root=options.data_root)
        with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
            for row in pool.map(one, seeds):
                rows.append(row)
                print(f"{len(rows)}/{len(seeds)} {row}", flush=True)
                write_csv(stem.with_suffix(".csv"), [asdict(row) for row in rows])
        made = provenance(torch.device("cpu"))
        stem.with_suffix(".json").write_text(json.dumps({"made": made}, indent=2) + "\n")
    what = f"{objective_of(options.workload, options.data_root).name}, {options.search.epochs} epochs"
    text = answers_page(rows, what)
    stem.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
