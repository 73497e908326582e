"""Compare ways of searching on recorded workloads: the regret of each against the epochs and seconds it took.

At every moment, the schedule that a search would return is evaluated by its test error over fresh training seeds.
record_runs.py recorded the runs once, so that hundreds of searches take minutes. With --live every run is trained, on
the one workload that the flags name.
"""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import InputError, require, require_at_least, unknown
from study.cli import run_command
from study.evidence.searches.arms import ARMS
from study.evidence.searches.searches import Searches
from study.storage.url import make_folder

if TYPE_CHECKING:
    from study.evidence.searches.evaluated_search import EvaluatedSearch
    from study.evidence.searches.testbed import Testbed


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    searches: Searches
    arms: tuple[str, ...] = ()
    """Arms to compare. Differences are to the first two. Default: all."""
    search_seeds: int = 20
    """Searches per arm and workload."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    live: bool = False
    """Train every run instead of looking it up."""
    recorded: tuple[Path, ...] = ()
    """Files of recorded runs. Default: all in results/search/recorded."""
    processes: int = 2
    """Searches at a time, with one thread each."""
    output: Path = Path("results/search")
    """Folder for the tables (.md), the data (.csv), the figure (.png) and the manifest (.json)."""
    name: str | None = None
    """Name of these files. Default: what is compared."""
    rebuild: bool = False
    """Write the tables and the figure again from the data that is there, without searching."""

    def __post_init__(self) -> None:
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        require_at_least(1, self, "search_seeds", "processes")
        for arm in self.arms:
            if arm not in ARMS[self.searches.compare]:
                raise unknown("arm", arm, ARMS[self.searches.compare])

    @property
    def chosen_arms(self) -> list[str]:
        """The arms that are compared, in order."""
        return list(self.arms or ARMS[self.searches.compare])

    @property
    def stem(self) -> str:
        """The path of these files, without their suffixes."""
        return str(self.output / (self.name or self.searches.compare))

    @property
    def files(self) -> list[Path]:
        """The files of recorded runs; raises InputError if there are no such files."""
        found = list(self.recorded or sorted(Path("results/search/recorded").glob("*.jsonl")))
        if not found:
            raise InputError(
                "results/search/recorded holds no recorded runs: make some with scripts/evidence/record_runs.py"
            )
        return found


def main(options: Options) -> None:
    """Run all searches, then print the tables and write the data behind them."""
    from study.evidence.searches.rows import read_rows  # these load torch and Optuna: after the flags
    from study.evidence.searches.testbed import testbed_of

    files: list[Path | None] = [None] if options.live else list(options.files)
    seeds = range(options.first_search_seed, options.first_search_seed + options.search_seeds)
    testbeds = {file: testbed_of(options.searches, file) for file in files}
    make_folder(options.output)
    rows = read_rows(Path(f"{options.stem}.csv")) if options.rebuild else search_all(options, testbeds, seeds)
    write_page(options, {testbed.name: testbed for testbed in testbeds.values()}, rows)


def search_all(options: Options, testbeds: dict[Path | None, Testbed], seeds: range) -> list[EvaluatedSearch]:
    """Run all searches, and write what they were made with and, from time to time, their rows."""
    import torch

    from study.evidence.searches.evaluated_search import one_search
    from study.evidence.searches.rows import write_rows
    from study.storage.provenance import provenance

    found: list[tuple[int, int, EvaluatedSearch]] = []
    timed = {file: testbed.seconds_per_epoch() for file, testbed in testbeds.items()}
    files = list(testbeds)
    manifest = {
        "seconds_per_epoch_by_cohort": {str(file): pair for file, pair in timed.items()},
        "made": provenance(torch.device("cpu")),
    }
    Path(f"{options.stem}.json").write_text(json.dumps(manifest, indent=2) + "\n")

    def keep_rows() -> list[EvaluatedSearch]:
        rows = [row for *_, row in sorted(found, key=lambda one: (*one[:2], one[2].search_seed))]
        write_rows(Path(f"{options.stem}.csv"), rows)
        return rows

    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        futures = {
            pool.submit(one_search, options.searches, file, arm, seed, timed[file]): (files.index(file), number)
            for file in files
            for seed in seeds
            for number, arm in enumerate(options.chosen_arms)
        }
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                found.append((*futures[future], row := future.result()))
                if options.live or done % 50 == 0 or done == len(futures):
                    keep_rows()
                    print(f"{done}/{len(futures)} {row.workload}, {row.arm}, {row.search_seed}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    return keep_rows()


def write_page(options: Options, testbeds: dict[str, Testbed], rows: list[EvaluatedSearch]) -> None:
    """Print the tables; write them and the figure to the folder."""
    from study.evidence.searches.figure import draw_regret
    from study.evidence.searches.page import SearchComparison

    comparison = SearchComparison(
        options.searches.compare,
        options.searches.search,
        options.chosen_arms,
        options.searches.trials,
        options.search_seeds,
        options.first_search_seed,
        rows,
        testbeds,
    )
    text = comparison.page(options.searches.equal_epochs)
    Path(f"{options.stem}.md").write_text(text)
    figure = draw_regret(rows, comparison.arms, comparison.best, comparison.full_epochs, options.searches.compare)
    Path(f"{options.stem}.png").write_bytes(figure)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
