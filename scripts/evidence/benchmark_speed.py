"""Measure how fast runs are trained, by several ways in turn. Whole studies race in benchmark_studies.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import optuna
import torch

from search_spaces.errors import require, require_at_least
from study.api import DATA_ROOT
from study.cli import run_command
from study.evidence.speed.runs import Measured, matrix_rate, measure, useful_flop
from study.evidence.speed.runs_report import EPOCHS_PER_RUN, draw_speed, table_of_runs
from study.storage.csv_rows import read_csv, write_csv
from study.storage.provenance import provenance
from study.storage.url import make_folder
from study.workloads.options import WorkloadOptions

WORKLOADS = (
    "mnist1d mlp sgd",
    "mnist1d cnn adamw",
    "mnist1d transformer adamw",
    "fashion-mnist mlp sgd",
    "fashion-mnist cnn sgd",
)


@dataclass(frozen=True)
class Options:
    """Measure the speed of training on this machine, all ways in one run."""

    workloads: tuple[str, ...] = WORKLOADS
    """What is trained: 'DATASET MODEL OPTIMIZER', each in quotes."""
    rounds: int = 5
    """How often each way is timed, in turn with the others."""
    output: Path = Path("results/speed")
    """Folder for speed.md, runs.csv, speed.png and manifest.json."""
    data_root: Path = DATA_ROOT
    """Directory for downloaded data sets."""
    rebuild: bool = False
    """Make the report and the figure again from the data in the folder, without measuring."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds")
        for workload in self.workloads:
            options_of(workload)


def main(options: Options) -> None:
    """Measure, print, and write what was measured and what it was made with."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if options.rebuild:
        measured = read_measured(options.output / "runs.csv")
        manifest = json.loads((options.output / "manifest.json").read_text())
        write_report(options.output, measured, manifest["useful_flop_per_epoch"], manifest["matrix_rates"])
        return
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    workloads = {name: options_of(name) for name in options.workloads}
    flop = {name: useful_flop(what.load(options.data_root)) for name, what in workloads.items()}
    rates = {device: matrix_rate(device) for device in devices}
    make_folder(options.output)
    measured = []
    for what in workloads.values():
        for device in devices:
            measured += (found := measure(what, device, options.rounds, options.data_root))
            print(table_of_runs(found, flop, rates), flush=True)
    write_report(options.output, measured, flop, rates)
    write_csv(
        options.output / "runs.csv", [asdict(one) | {"seconds": " ".join(map(str, one.seconds))} for one in measured]
    )
    manifest = {"matrix_rates": rates, "useful_flop_per_epoch": flop}
    manifest |= {device: provenance(torch.device(device)) for device in devices}
    (options.output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def read_measured(path: Path) -> list[Measured]:
    """What runs.csv holds; raises InputError if it is not there."""
    require(path.is_file(), "--rebuild needs the runs.csv and manifest.json of an earlier measurement", path)
    return [
        Measured(one["workload"], one["device"], one["way"], seconds_of(one["seconds"]), int(one["peak_bytes"]))
        for one in read_csv(path)
    ]


def seconds_of(cell: str) -> tuple[float, ...]:
    """The seconds of each round, as runs.csv has them in one cell."""
    return tuple(map(float, cell.split()))


def options_of(workload: str) -> WorkloadOptions:
    """The options of a workload by its name; raises InputError if that has not three parts."""
    parts = workload.split()
    require(len(parts) == 3, "--workloads takes names such as 'mnist1d mlp sgd', in quotes", workload)
    return WorkloadOptions(dataset=parts[0], model=parts[1], optimizer=parts[2])


def write_report(folder: Path, measured: Sequence[Measured], flop: dict[str, float], rates: dict[str, float]) -> None:
    """Print the report, and write it with its figure into the folder."""
    report = (
        f"{len(measured[0].seconds)} rounds, every way once in each; runs of {EPOCHS_PER_RUN} epochs of 50 updates of "
        "64 rows and an evaluation. Times the tutorial: median [least, most] over the rounds. The matrix rate is that "
        f"of a float32 product: {', '.join(f'{rate / 1e9:.0f} GFLOP/s on {device}' for device, rate in rates.items())}."
        f"\n\n{table_of_runs(measured, flop, rates)}\n"
    )
    print(report)
    (folder / "speed.md").write_text(report)
    (folder / "speed.png").write_bytes(draw_speed(measured))


if __name__ == "__main__":
    run_command(Options, main)
