"""Measure what a stored trial costs, and opening a study, in SQLite and on a PostgreSQL server that this starts."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from search_spaces.errors import require, require_at_least
from study.cli import plain_console, run_command
from study.storage.url import make_folder
from study.workloads.options import DATA_ROOT, WorkloadOptions


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    trials: tuple[int, ...] = (50, 2000, 10_000)
    """Numbers of trials in the study, ascending."""
    rounds: int = 5
    """Times that each is measured, in turns."""
    output: Path = Path("results/speed")
    """Folder for storages.md, storages.csv and storages.json."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "rounds")
        ascending = bool(self.trials) and list(self.trials) == sorted(set(self.trials)) and self.trials[0] >= 1
        require(ascending, "--trials must be ascending and at least 1", self.trials)


def main(options: Options) -> None:
    """Measure, print the table, and write it and what it was made with."""
    import torch  # these load torch and Optuna: after the flags

    from study.evidence.private_server import PrivateServer
    from study.evidence.speed.storages import measure_storages, page_of_storages
    from study.source import make_objective
    from study.storage.csv_rows import write_csv
    from study.storage.provenance import provenance

    make_folder(options.output)
    console = plain_console()
    objective = make_objective(WorkloadOptions(), "cpu", options.data_root)
    began = os.getloadavg()[0]
    with PrivateServer() as server, tempfile.TemporaryDirectory() as folder:
        storages = {"SQLite": f"sqlite:///{folder}/studies.db", "PostgreSQL": server.create("studies")}
        version = server.run("psql", "-V").strip().replace("psql (PostgreSQL)", "PostgreSQL").split(" (")[0]
        attributes = {"group": "measured", **objective.attributes()}
        measuring = measure_storages(
            objective, attributes, storages, options.trials, options.rounds, announce=console.print
        )
        measured = []
        for one in measuring:
            measured.append(one)
            console.print(f"{one.storage}, {one.trials:,} trials: {1000 * one.storing:.1f} ms, {one.opening:.3f} s")
    load = (began, os.getloadavg()[0])
    page = page_of_storages(measured, load, version)
    console.print(page)
    (options.output / "storages.md").write_text(page)
    write_csv(options.output / "storages.csv", [asdict(one) for one in measured])
    made = {"made": provenance(torch.device("cpu")), "server": version, "load": load}
    (options.output / "storages.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    run_command(Options, main)
