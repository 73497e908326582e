"""Compare ways of searching on recorded workloads: what each has found, against what it has spent.

The judge is the truth: whatever a search would have returned at any moment is judged by its test error over fresh
training seeds. The runs were recorded once by scripts/record_runs.py, so that hundreds of searches take minutes;
`--live` trains every run instead, on the one workload that the other flags name.
"""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated

import optuna
import torch
import tyro

from search_spaces.errors import InputError, require, require_at_least, unknown
from search_spaces.schedule import Schedule
from study.address import make_folder
from study.command import DATA_ROOT, run_command
from study.comparisons.arms import ARMS
from study.comparisons.comparison_figure import draw
from study.comparisons.comparison_page import Comparison, Ground
from study.comparisons.contest import Row, contest
from study.comparisons.contest_rows import read_rows, write_rows
from study.comparisons.recorded import read
from study.comparisons.replay import ReplayEngine
from study.configuration import Configuration
from study.engine import Engine
from study.provenance import provenance
from study.training.confirm import FIRST_FRESH_SEED, confirm
from study.training.costs import cohort_sizes, seconds_per_update
from study.training.obstacle import obstacle

CPU = torch.device("cpu")
MOST_TOGETHER = 16
"""Runs in the largest cohort whose speed is timed."""


@dataclass(frozen=True)
class Options:
    """Compare ways of searching over many search seeds."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that all arms change; of recorded runs, the workload is that of the recording."""
    compare: str = "pruners"
    """What is compared: a name in study/comparisons/arms.py, as pruners, rungs, floors, samplers or batches."""
    arms: tuple[str, ...] = ()
    """Which of the arms; differences are to the first two. None: all."""
    search_seeds: int = 20
    """Searches per arm and workload."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    trials: int = 50
    """Trials per search."""
    equal_epochs: bool = True
    """Search on until all arms have spent what the trials take unpruned."""
    live: bool = False
    """Train every run, instead of looking it up."""
    recorded: tuple[Path, ...] = ()
    """Files of recorded runs. None: all in results/search/recorded."""
    confirm_seeds: int = 5
    """live: fresh training seeds that judge what was found."""
    processes: int = 2
    """Searches at a time, of one thread each."""
    output: Path = Path("results/search")
    """Folder for the tables (.md), the data (.csv), the figure (.png) and the manifest (.json)."""
    name: str | None = None
    """Of these files. None: what is compared."""
    rebuild: bool = False
    """Make tables and figure again of the data that is there, without searching."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        given = self.configuration
        require(given.pruner == "horizon", "the arms choose the pruner: leave out --pruner", given.pruner)
        require(given.sampler_seed == 0, "use --first-search-seed, not --sampler-seed", given.sampler_seed)
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        require_at_least(1, self, "search_seeds", "trials", "confirm_seeds", "processes")
        if self.compare not in ARMS:
            raise unknown("comparison", self.compare, ARMS)
        for arm in self.arms:
            if arm not in ARMS[self.compare]:
                raise unknown("arm", arm, ARMS[self.compare])

    @property
    def chosen_arms(self) -> list[str]:
        """The arms that are compared, in order."""
        return list(self.arms or ARMS[self.compare])

    @property
    def stem(self) -> str:
        """The path of these files, without what tells them apart."""
        return str(self.output / (self.name or self.compare))

    @property
    def files(self) -> list[Path]:
        """The files of recorded runs; raises InputError where there is none."""
        found = list(self.recorded or sorted(Path("results/search/recorded").glob("*.jsonl")))
        if not found:
            raise InputError("results/search/recorded holds no recorded runs: make some with scripts/record_runs.py")
        return found


@cache
def ground(options: Options, file: Path | None) -> Ground:
    """Load a workload, and its recorded runs; once in each process."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if file is None:
        return Ground(options.configuration, options.configuration.make_workload(options.data_root), None)
    recorded = read(file)
    stored = recorded.about.configuration
    names = ("dataset", "model", "optimizer", "epochs", "batch_size", "weight_decay", "train_seed", "split_seed")
    kept = {name: stored[name] for name in names} | {"families": tuple(stored["families"])}
    configuration = replace(options.configuration, **kept)
    workload = configuration.make_workload(options.data_root)
    if workload.data.fingerprint() != stored["data"]:
        raise InputError(f"{file} was recorded on other data: record it again with scripts/record_runs.py")
    return Ground(configuration, workload, recorded)


def rates(options: Options, file: Path | None) -> dict[int, float]:
    """Seconds per epoch of a run, by how many are trained together, timed now; nothing where the searches train."""
    here = ground(options, file)
    if not here.recorded:
        return {}
    sizes = [1, *([] if obstacle(here.workload) else cohort_sizes(MOST_TOGETHER))]
    return {size: seconds_per_update(here.workload, size) * here.workload.steps_per_epoch for size in sizes}


def one_search(options: Options, file: Path | None, arm: str, seed: int, timed: dict[int, float]) -> Row:
    """Search with one arm and one seed."""
    here = ground(options, file)
    configuration = replace(here.configuration, sampler_seed=seed, **ARMS[options.compare][arm])
    steps = here.workload.steps_per_epoch
    together = configuration.most_together(steps) if configuration.generation_size(steps) > 1 else 1
    epochs = options.equal_epochs * options.trials * configuration.epochs
    recorded = here.recorded
    if recorded is None:
        seeds = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + options.confirm_seeds)

        @cache
        def judged(schedule: Schedule) -> float:
            values = confirm(here.workload, schedule, configuration.epochs, seeds, len(seeds))
            return sum(values) / len(values)

        return contest(here.workload, configuration, Engine(together), arm, options.trials, epochs, judged)

    def true_error(schedule: Schedule) -> float:
        return recorded.schedules[recorded.nearest(schedule)].truth

    def full_error(schedule: Schedule) -> float:
        return recorded.schedules[recorded.nearest(schedule)].runs[configuration.epochs].metrics[-1]

    engine = ReplayEngine(recorded=recorded)
    return contest(here.workload, configuration, engine, arm, options.trials, epochs, true_error, full_error, timed)


def main(options: Options) -> None:
    """Run all searches, then print the tables and write what they were made of."""
    files: list[Path | None] = [None] if options.live else list(options.files)
    seeds = range(options.first_search_seed, options.first_search_seed + options.search_seeds)
    grounds = {(here := ground(options, file)).name: here for file in files}
    make_folder(options.output)
    rows = read_rows(Path(f"{options.stem}.csv")) if options.rebuild else search_all(options, files, seeds)
    write_page(options, grounds, rows)


def search_all(options: Options, files: list[Path | None], seeds: range) -> list[Row]:
    """Run all searches, and keep their rows and what they were made with."""
    found: list[tuple[int, int, Row]] = []
    timed = {file: rates(options, file) for file in files}
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        futures = {
            pool.submit(one_search, options, file, arm, seed, timed[file]): (files.index(file), number)
            for file in files
            for seed in seeds
            for number, arm in enumerate(options.chosen_arms)
        }
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                found.append((*futures[future], row := future.result()))
                if options.live or done % 50 == 0 or done == len(futures):
                    print(f"{done}/{len(futures)} {row.workload}, {row.arm}, {row.search_seed}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    rows = [row for *_, row in sorted(found, key=lambda one: (*one[:2], one[2].search_seed))]
    manifest = {
        "seconds_per_epoch_by_cohort": {str(file): pair for file, pair in timed.items()},
        "made": provenance(CPU),
    }
    Path(f"{options.stem}.json").write_text(json.dumps(manifest, indent=2) + "\n")
    write_rows(Path(f"{options.stem}.csv"), rows)
    return rows


def write_page(options: Options, grounds: dict[str, Ground], rows: list[Row]) -> None:
    """The tables to the terminal; these and the figure to the folder."""
    compared = Comparison(
        options.compare,
        options.chosen_arms,
        options.trials,
        options.search_seeds,
        options.first_search_seed,
        rows,
        grounds,
    )
    text = compared.page(options.equal_epochs)
    Path(f"{options.stem}.md").write_text(text)
    figure = draw(rows, compared.arms, compared.best, compared.full_epochs, options.compare)
    Path(f"{options.stem}.png").write_bytes(figure)
    print(text)


if __name__ == "__main__":
    run_command(Options, main)
