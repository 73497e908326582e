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
    """Directory for downloaded data sets."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds")
        for workload in self.workloads:
            options_of(workload)


def main(options: Options) -> None:
    """Measure, print, and write the measurements and what they were made with."""
    import optuna  # these load torch and Optuna: after the flags
    import torch

    from study.evidence.speed.runs import matrix_rate, measure, useful_flop
    from study.evidence.speed.runs_report import draw_speed, table_of_runs
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    workloads = {name: options_of(name) for name in options.workloads}
    flop = {name: useful_flop(what.load(options.data_root)) for name, what in workloads.items()}
    rates = {device: matrix_rate(device) for device in devices}
    make_folder(options.output)
    measured: list[Measured] = []
    for what in workloads.values():
        for device in devices:
            measured += (found := measure(what, device, options.rounds, options.data_root))
            print(table_of_runs(found, flop, rates), flush=True)
    report = written(options.rounds, measured, flop, rates)
    print(report)
    (options.output / "speed.md").write_text(report)
    (options.output / "speed.png").write_bytes(draw_speed(measured))
    write_csv(
        options.output / "runs.csv", [asdict(one) | {"seconds": " ".join(map(str, one.seconds))} for one in measured]
    )
    manifest = {"matrix_rates": rates, "useful_flop_per_epoch": flop}
    manifest |= {device: provenance(torch.device(device)) for device in devices}
    (options.output / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def options_of(workload: str) -> WorkloadOptions:
    """The options of a workload by its name; raises InputError unless the name has three parts."""
    parts = workload.split()
    require(len(parts) == 3, "--workloads takes names such as 'mnist1d mlp sgd', in quotes", workload)
    return WorkloadOptions(dataset=parts[0], model=parts[1], optimizer=parts[2])


def written(rounds: int, measured: Sequence[Measured], flop: dict[str, float], rates: dict[str, float]) -> str:
    """The whole report, in Markdown."""
    from study.evidence.speed.runs_report import EPOCHS_PER_RUN, table_of_runs

    return (
        f"{rounds} rounds, every way once in each; runs of {EPOCHS_PER_RUN} epochs of 50 updates of 64 rows "
        "and an evaluation. Times the tutorial: median [least, most] over the rounds. The matrix rate is that of a "
        f"float32 product: {', '.join(f'{rate / 1e9:.0f} GFLOP/s on {device}' for device, rate in rates.items())}."
        f"\n\n{table_of_runs(measured, flop, rates)}\n"
    )


if __name__ == "__main__":
    run_command(Options, main)
