"""Measure how fast runs are trained, by several ways in turn, and how fast a whole study is against Optuna alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from search_spaces.errors import require, require_at_least
from study.address import make_folder
from study.command import DATA_ROOT, run_command
from study.comparisons.speed_of_runs import Measured, matrix_rate, measure, useful_flop
from study.comparisons.speed_of_studies import Race, overhead, race
from study.comparisons.speed_report import EPOCHS_PER_RUN, draw, table_of_runs, table_of_studies
from study.configuration import Configuration
from study.csv_rows import write_csv
from study.provenance import provenance
from study.statistics import mean_interval

WORKLOADS = (
    "mnist1d mlp sgd",
    "mnist1d cnn adamw",
    "mnist1d transformer adamw",
    "fashion-mnist mlp sgd",
    "fashion-mnist cnn sgd",
)


@dataclass(frozen=True)
class Options:
    """Measure the speed of training and of studies, on this machine, both sides in one run."""

    workloads: tuple[str, ...] = WORKLOADS
    """What is trained: 'DATASET MODEL OPTIMIZER', each in quotes."""
    rounds: int = 5
    """How often each way is timed, in turn with the others."""
    races: int = 10
    """Search seeds over which the default study races Optuna with the tutorial loop; 0 for none."""
    trials: int = 50
    """Trials of each of those studies."""
    confirm_seeds: int = 5
    """Fresh training seeds that judge each winner."""
    long_study: int = 1000
    """Trials of the study that shows what a trial costs besides training; 0 for none."""
    output: Path = Path("results/speed")
    """Folder for speed.md, runs.csv, studies.csv, speed.png and manifest.json."""
    data_root: Path = DATA_ROOT
    """Where data sets are kept."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds", "trials", "confirm_seeds")
        require_at_least(0, self, "races", "long_study")
        for workload in self.workloads:
            configuration_of(workload)


def main(options: Options) -> None:
    """Measure, print, and write what was measured and what it was made with."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    configurations = {name: configuration_of(name) for name in options.workloads}
    flop = {name: useful_flop(configurations[name].make_workload(options.data_root)) for name in configurations}
    rates = {device: matrix_rate(device) for device in devices}
    make_folder(options.output)
    measured: list[Measured] = []
    for configuration in configurations.values():
        for device in devices:
            measured += (found := measure(configuration, device, options.rounds, options.data_root))
            print(table_of_runs(found, flop, rates), flush=True)
    races, outside = studies(options)
    report = written(options, measured, flop, rates, races, outside)
    print(report)
    (options.output / "speed.md").write_text(report)
    if races:
        (options.output / "studies.md").write_text(table_of_studies(races) + "\n")
    (options.output / "speed.png").write_bytes(draw(measured))
    write_csv(options.output / "runs.csv", [columns(one) for one in measured])
    write_csv(options.output / "studies.csv", [columns(one) for one in races])
    manifest = {"matrix_rates": rates, "useful_flop_per_epoch": flop}
    manifest |= {device: provenance(torch.device(device)) for device in devices}
    (options.output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def configuration_of(workload: str) -> Configuration:
    """The configuration of a workload by its name; raises InputError where it has not three parts."""
    parts = workload.split()
    require(len(parts) == 3, "--workloads takes names such as 'mnist1d mlp sgd', in quotes", workload)
    return Configuration(dataset=parts[0], model=parts[1], optimizer=parts[2])


def studies(options: Options) -> tuple[list[Race], dict[int, float]]:
    """The races, and the seconds outside training of a trial at some trials of a long study, on the CPU."""
    configuration = Configuration()
    workload = configuration.make_workload(options.data_root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        races = []
        for seed in range(options.races):
            races.append(race(workload, configuration, options.trials, seed, options.confirm_seeds, folder))
            print(races[-1], flush=True)
        at = [min(options.trials, options.long_study), options.long_study]
        costs = overhead(workload, configuration, options.long_study, at, folder) if options.long_study else []
    return races, dict(zip(at, costs, strict=False))


def written(
    options: Options,
    measured: Sequence[Measured],
    flop: dict[str, float],
    rates: dict[str, float],
    races: Sequence[Race],
    outside: dict[int, float],
) -> str:
    """The whole report, in Markdown."""
    parts = [
        f"{options.rounds} rounds, every way once in each; runs of {EPOCHS_PER_RUN} epochs of 50 updates of 64 rows "
        "and an evaluation. Times the tutorial: median [least, most] over the rounds. The matrix rate is that of a "
        f"float32 product: {', '.join(f'{rate / 1e9:.0f} GFLOP/s on {device}' for device, rate in rates.items())}.",
        table_of_runs(measured, flop, rates),
    ]
    if races:
        share = mean_interval([100 * one.outside for one in races])
        parts += [
            f"{options.trials} trials of the default study, on the CPU, without starting Python and making the data; "
            f"winners on test over {options.confirm_seeds} fresh training seeds. Mean [95 % BCa bootstrap interval].",
            table_of_studies(races),
            f"Outside training (choosing the engine, sampling, SQLite, reporting): {share:.1f} "
            "% of this project's time.",
        ]
    if outside:
        costs = ", ".join(f"{1000 * seconds:.1f} ms at trial {trial}" for trial, seconds in outside.items())
        parts.append(f"Outside training, per trial, in one study of {options.long_study} trials: {costs}.")
    return "\n\n".join(parts) + "\n"


def columns(row: Measured | Race) -> dict[str, Any]:
    """As a line of CSV; several numbers in one column stand with spaces between them."""
    values = asdict(row).items()
    return {name: " ".join(map(str, value)) if isinstance(value, tuple) else value for name, value in values}


if __name__ == "__main__":
    run_command(Options, main)
