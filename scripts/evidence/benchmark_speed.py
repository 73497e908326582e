"""Measure how fast runs are trained in several ways, in turn. benchmark_studies.py times whole studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import require, require_at_least
from study.cli import run_command
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions

if TYPE_CHECKING:
    from study.evidence.speed.runs import Measured

WORKLOADS = (
    "mnist1d mlp sgd",
    "mnist1d cnn adamw",
    "mnist1d transformer adamw",
    "fashion-mnist mlp sgd",
    "fashion-mnist cnn sgd",
)


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    workloads: tuple[str, ...] = WORKLOADS
    """What is trained: 'DATASET MODEL OPTIMIZER', each in quotes."""
    rounds: int = 5
    """Times that each way is measured, in turn with the others."""
    output: Path = Path("results/speed")
    """Folder for speed.md, runs.csv, speed.png and manifest.json."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""
    rebuild: bool = False
    """Make the report and the figure again from the data in the folder, without measuring."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds")
        for workload in self.workloads:
            options_of(workload)


def main(options: Options) -> None:
    """Measure, print, and write the measurements and what they were made with."""
    import optuna  # these load torch and Optuna: after the flags
    import torch

    from study.evidence.speed.runs import matrix_rate, measure, useful_flop
    from study.evidence.speed.runs_report import table_of_runs
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

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
    from study.evidence.speed.runs import Measured
    from study.storage.csv_rows import read_csv

    require(path.is_file(), "--rebuild needs the runs.csv and manifest.json of an earlier measurement", path)
    return [
        Measured(one["workload"], one["device"], one["way"], seconds_of(one["seconds"]), int(one["peak_bytes"]))
        for one in read_csv(path)
    ]


def seconds_of(cell: str) -> tuple[float, ...]:
    """The seconds of each round, as runs.csv has them in one cell."""
    return tuple(map(float, cell.split()))


def options_of(workload: str) -> WorkloadOptions:
    """The options of a workload by its name; raises InputError unless the name has three parts."""
    parts = workload.split()
    require(len(parts) == 3, "--workloads takes names such as 'mnist1d mlp sgd', in quotes", workload)
    return WorkloadOptions(dataset=parts[0], model=parts[1], optimizer=parts[2])


def write_report(folder: Path, measured: Sequence[Measured], flop: dict[str, float], rates: dict[str, float]) -> None:
    """Print the report, and write it with its figure into the folder."""
    from study.evidence.speed.runs_report import EPOCHS_PER_RUN, draw_speed, table_of_runs

    report = (
        f"{len(measured[0].seconds)} rounds, each with every method once; runs of {EPOCHS_PER_RUN} epochs, each of 50 "
        "steps of 64 rows and an evaluation. Speedup over the tutorial: median [minimum, maximum] over the rounds. The "
        "matrix rate is that of a float32 matrix product: "
        f"{', '.join(f'{rate / 1e9:.0f} GFLOP/s on {device}' for device, rate in rates.items())}."
        f"\n\n{table_of_runs(measured, flop, rates)}\n"
    )
    print(report)
    (folder / "speed.md").write_text(report)
    (folder / "speed.png").write_bytes(draw_speed(measured))


if __name__ == "__main__":
    run_command(Options, main)
