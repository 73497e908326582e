"""Compare ways of pruning: the same search, many search seeds, each winner judged on test over fresh training seeds.

Every study is kept in the storage, so that the command goes on where it was stopped. Prints one row per arm and writes
one line per study to a CSV file.
"""

from __future__ import annotations

import csv
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import optuna
import torch
import tyro

from search_spaces import from_params
from search_spaces.errors import require, unknown
from study.command import DATA_ROOT, run_command
from study.configuration import Configuration
from study.confirm import FIRST_FRESH_SEED, confirm
from study.provenance import provenance
from study.records import best_trial, finished_trials, spent_epochs
from study.search import search
from study.statistics import mean_interval
from study.storage import open_study

ARMS: dict[str, dict[str, Any]] = {
    "none": {"pruner": "none"},
    "horizon": {"pruner": "horizon"},
    "median": {"pruner": "median", "trials_per_batch": 1},
    "hyperband": {"pruner": "hyperband", "trials_per_batch": 1},
}
"""Optuna's pruners judge one trial after another, as they do in `study.optimize`; the others in batches, by default."""


@dataclass(frozen=True)
class Options:
    """Compare ways of pruning over many search seeds."""

    configuration: Annotated[Configuration, tyro.conf.OmitArgPrefixes]
    """The search that all arms share."""
    arms: tuple[str, ...] = tuple(ARMS)
    """none, horizon, median, hyperband; differences are to the first."""
    search_seeds: int = 10
    """Searches per arm."""
    trials: int = 50
    """Trials per search."""
    confirm_seeds: int = 5
    """Fresh training seeds that judge each winner."""
    workers: int = 2
    """Processes, of one thread each."""
    storage: str = "sqlite:///results/benchmark_search.db"
    """Where the studies are kept."""
    csv: Path = Path("results/search/pruners.csv")
    """Where the figures of each study go."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        for name in ("search_seeds", "trials", "confirm_seeds", "workers"):
            require(getattr(self, name) >= 1, f"--{name.replace('_', '-')} must be at least 1", getattr(self, name))
        for arm in self.arms:
            if arm not in ARMS:
                raise unknown("arm", arm, ARMS)


def main(options: Options) -> None:
    """Run what is missing, then print the table."""
    tasks = [(options, arm, seed) for seed in range(options.search_seeds) for arm in options.arms]
    rows = []
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn")) as pool:
        try:
            for done, future in enumerate(as_completed([pool.submit(one_study, *task) for task in tasks]), start=1):
                rows.append(row := future.result())
                print(
                    f"{done}/{len(tasks)} {row['arm']} seed {row['search_seed']}: {row['test_error']:.4f}", flush=True
                )
        finally:
            pool.shutdown(cancel_futures=True)
    rows.sort(key=lambda row: (options.arms.index(row["arm"]), row["search_seed"]))
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    with options.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(table(options, rows))


def one_study(options: Options, arm: str, seed: int) -> dict[str, Any]:
    """Search with one arm and one seed, confirm the winner, and return its figures."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    configuration = replace(options.configuration, sampler_seed=seed, **ARMS[arm])
    workload = configuration.make_workload(options.data_root)
    attributes = {"group": "benchmark_search", **workload.attributes()}
    name = f"{configuration.study_name}-{arm}-{options.trials}-trials-seed-{seed}"
    with open_study(
        options.storage, name, configuration.resolved(workload), attributes, provenance(workload.device)
    ) as optuna_study:
        for _ in search(optuna_study, workload, configuration, options.trials):
            pass
        trials = finished_trials(optuna_study)
        best = best_trial(optuna_study, trials)
        if best is None:
            raise RuntimeError(f"no trial of {name} ran to its end")
        key = f"confirmed_{options.confirm_seeds}_trial_{best.number}"
        if key not in optuna_study.user_attrs:
            seeds = range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + options.confirm_seeds)
            values = confirm(workload, from_params(best.params), configuration.epochs, seeds)
            optuna_study.set_user_attr(key, values)
        confirmed = optuna_study.user_attrs[key]
    return {
        "arm": arm,
        "search_seed": seed,
        "trials": len(trials),
        "epochs": round(sum(spent_epochs(trial) for trial in trials), 2),
        "training_seconds": round(sum(trial.user_attrs["seconds"] for trial in trials), 1),
        "family": best.params["family"],
        "val_error": best.value,
        "test_error": mean_interval(confirmed).mean,
    }


def table(options: Options, rows: list[dict[str, Any]]) -> str:
    """Markdown: per arm the test error of its winners, the paired difference to the first arm, and what it cost."""
    full = options.trials * options.configuration.epochs
    lines = [
        f"{options.search_seeds} search seeds, {options.trials} trials, each winner judged on test over "
        f"{options.confirm_seeds} fresh training seeds; accuracy in points, [95 % interval of the mean]",
        "",
        f"| arm | test accuracy | difference to {options.arms[0]} | epochs of {full} | training seconds |",
        "|---|---|---|---|---|",
    ]
    reference = {row["search_seed"]: row["test_error"] for row in rows if row["arm"] == options.arms[0]}
    for arm in options.arms:
        own = [row for row in rows if row["arm"] == arm]
        accuracy = mean_interval([100 * (1 - row["test_error"]) for row in own])
        gain = mean_interval([100 * (reference[row["search_seed"]] - row["test_error"]) for row in own])
        difference = "" if arm == options.arms[0] else f"{gain.mean:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"
        epochs, seconds = (mean_interval([row[key] for row in own]).mean for key in ("epochs", "training_seconds"))
        lines.append(
            f"| {arm} | {accuracy.mean:.2f} [{accuracy.low:.2f}, {accuracy.high:.2f}] | {difference} "
            f"| {epochs:.0f} ({epochs / full:.0%}) | {seconds:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(Options, main)
