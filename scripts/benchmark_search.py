"""Compare ways of searching: many search seeds each, each winner judged on test over fresh training seeds.

Every study is kept in the storage, so that the command goes on where it was stopped.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import optuna
import torch
import tyro

from search_spaces import from_params
from search_spaces.errors import InputError, require, unknown
from study.command import DATA_ROOT, run_command
from study.comparison import Row, draw, table
from study.configuration import Configuration
from study.confirm import FIRST_FRESH_SEED, confirm
from study.engine import EngineOptions, agree
from study.provenance import provenance
from study.records import best_trial, finished_trials, spent_epochs
from study.search import search
from study.statistics import mean_interval
from study.storage import open_study

CPU = torch.device("cpu")
ARMS: dict[str, dict[str, dict[str, Any]]] = {
    "pruners": {
        "none": {"pruner": "none"},
        "horizon": {"pruner": "horizon"},
        "median": {"pruner": "median", "trials_per_batch": 1},
        "hyperband": {"pruner": "hyperband", "trials_per_batch": 1},
    },
    "batches": {f"batches of {size}": {"trials_per_batch": size} for size in (1, 5, 10, 25, 50)},
    "generations": {f"generations of {size}": {"trials_per_generation": size} for size in (10, 25, 50)},
}
"""What is compared, and its arms: changes to the default search. Optuna's pruners judge one trial after another, as in
`study.optimize`; the others in batches."""


@dataclass(frozen=True)
class Options:
    """Compare ways of searching over many search seeds."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that all arms share."""
    compare: str = "pruners"
    """pruners; batches: how many trials are asked together; generations: how many compete for the long runs."""
    arms: tuple[str, ...] = ()
    """Which of the arms; differences are to the first two. None: all."""
    search_seeds: int = 10
    """Searches per arm."""
    first_search_seed: int = 0
    """Sampler seed of the first search; the others follow it."""
    trials: int = 50
    """Trials per search."""
    confirm_seeds: int = 5
    """Fresh training seeds that judge each winner."""
    workers: int = 2
    """Processes, of one thread each."""
    storage: str = "sqlite:///results/benchmark_search.db"
    """Where the studies are kept."""
    output: Path = Path("results/search")
    """Folder for the table (.md), its data (.csv), figure (.png) and manifest (.json), named after what is compared."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        given = self.configuration
        require(given.pruner == "horizon", "the arms choose the pruner: leave out --pruner", given.pruner)
        require(given.sampler_seed == 0, "use --first-search-seed, not --sampler-seed", given.sampler_seed)
        require(self.first_search_seed >= 0, "--first-search-seed must be at least 0", self.first_search_seed)
        for name in ("search_seeds", "trials", "confirm_seeds", "workers"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')} must be at least 1", getattr(self, name))
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
    def full_epochs(self) -> int:
        """What a study costs whose trials all run to their end."""
        return self.trials * self.configuration.epochs

    @property
    def caption(self) -> str:
        """What the table shows."""
        c = self.configuration
        return (
            f"{c.dataset}, {c.model}, {c.optimizer}, {c.epochs} epochs: {self.search_seeds} searches of "
            f"{self.trials} trials per arm (search seeds from {self.first_search_seed}), each winner judged on test "
            f"over {self.confirm_seeds} fresh training seeds. Accuracy in points, mean [95 % BCa bootstrap interval]."
        )


def main(options: Options) -> None:
    """Run what is missing, then print the table and write what it was made of."""
    seeds = range(options.first_search_seed, options.first_search_seed + options.search_seeds)
    tasks = [(options, arm, seed) for seed in seeds for arm in options.chosen_arms]
    rows: list[Row] = []
    sessions: list[dict[str, Any]] = []
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        try:
            for done, future in enumerate(as_completed([pool.submit(one_study, *task) for task in tasks]), start=1):
                row, session = future.result()
                rows.append(row)
                sessions.append(session)
                print(f"{done}/{len(tasks)} {row.arm}, search seed {row.search_seed}: {row.test_error:.4f}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    rows.sort(key=lambda row: (options.chosen_arms.index(row.arm), row.search_seed))
    compared = table(rows, options.chosen_arms, options.full_epochs)
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / options.compare
    with stem.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    stem.with_suffix(".md").write_text(f"{options.caption}\n\n{compared}\n")
    stem.with_suffix(".png").write_bytes(draw(rows, options.chosen_arms, options.full_epochs, options.compare))
    manifest = {"first_study_began": min(sessions, key=lambda session: session["time"]), "table_made": provenance(CPU)}
    stem.with_suffix(".json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{options.caption}\n\n{compared}")


def one_study(options: Options, arm: str, seed: int) -> tuple[Row, dict[str, Any]]:
    """Search with one arm and one seed, confirm the winner; its figures, and the provenance of its first start."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    configuration = replace(options.configuration, sampler_seed=seed, **ARMS[options.compare][arm])
    together = configuration.most_together
    options_of_engine = EngineOptions("lockstep", cohort=together) if together > 1 else EngineOptions("loop")
    workload = configuration.make_workload(options.data_root)
    attributes = {"group": "benchmark_search", **workload.attributes()}
    name = f"{configuration.study_name}-{arm.replace(' ', '-')}-{options.trials}-trials-seed-{seed}"
    with open_study(
        options.storage, name, configuration.resolved(workload), attributes, provenance(workload.device)
    ) as optuna_study:
        engine, _ = agree(optuna_study, options_of_engine, workload, configuration)
        for _ in search(optuna_study, workload, configuration, engine, options.trials):
            pass
        trials = finished_trials(optuna_study)
        best = best_trial(optuna_study, trials)
        if best is None:
            raise InputError(f"no trial of {name} ran to its end: give more --trials")
        key = f"confirmed_{options.confirm_seeds}_trial_{best.number}"
        if key not in optuna_study.user_attrs:
            seeds = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + options.confirm_seeds)
            values = confirm(workload, from_params(best.params), configuration.epochs, seeds, len(seeds))
            optuna_study.set_user_attr(key, values)
        confirmed = optuna_study.user_attrs[key]
        session = optuna_study.user_attrs["sessions"][0]
    row = Row(
        arm=arm,
        search_seed=seed,
        trials=len(trials),
        epochs=round(sum(spent_epochs(trial) for trial in trials), 2),
        training_seconds=round(sum(trial.user_attrs["record"]["seconds"] for trial in trials), 1),
        family=best.params["family"],
        val_error=best.value or 0.0,
        test_error=mean_interval(confirmed).mean,
        commit=session["commit"],
    )
    return row, session


if __name__ == "__main__":
    run_command(Options, main)
