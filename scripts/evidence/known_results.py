"""Hold what is known of schedules against our benchmarks: a table "known result, ours, agrees?".

It reads the reports of benchmarks in results/, trains a few schedules that are set by hand from them, over the same
fresh seeds, and writes results/known/. What was trained before is kept; --rebuild makes the table again from what lies
there, without training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from search_spaces.errors import InputError, require
from study.api import DATA_ROOT, make_objective
from study.cli import run_command
from study.evidence.known.fixed_schedules import hand_set, seeds_of
from study.evidence.known.known_results_page import ARMS, arm_rows, kept_rows, read_benchmarks, write_arms, write_page
from study.executors.in_process import InProcess
from study.search.confirm import confirm
from study.storage.provenance import provenance
from study.storage.study_record import StudyRecord
from study.workloads.options import WorkloadOptions


@dataclass(frozen=True)
class Options:
    """Hold what is known of schedules against our benchmarks."""

    results: Path = Path("results")
    """Folder of the reports; the table goes to its sub-folder `known`."""
    rebuild: bool = False
    """Make the table again from what lies there, without training."""
    cohort: int = 16
    """Most runs trained together."""
    data_root: Path = DATA_ROOT
    """Folder of the data sets that are not made on the spot."""

    def __post_init__(self) -> None:
        require(self.cohort >= 1, "--cohort must be at least 1", self.cohort)


def main(options: Options) -> None:
    """Train the arms, and print and write the table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = read_benchmarks(options.results)
    if not found:
        raise InputError(f"{options.results} holds no report of a benchmark: make one with scripts/benchmark.py")
    if options.rebuild:
        if not (options.results / "known" / ARMS).is_file():
            raise InputError(f"{options.results}/known holds no {ARMS}: leave out --rebuild")
    else:
        rows = [row for name, studies in found.items() for row in trained(options, name, studies)]
        write_arms(rows, options.results)
        manifest = json.dumps(provenance(torch.device("cpu")), indent=1)
        (options.results / "known" / "manifest.json").write_text(manifest + "\n")
    print(write_page(found, options.results))


def trained(options: Options, name: str, studies: list[StudyRecord]) -> list[dict[str, Any]]:
    """The rows of one benchmark's arms; those that are not there yet are trained on its workload."""
    objective = make_objective(WorkloadOptions.stored(studies[0].configuration), "cpu", options.data_root)
    executor = InProcess(objective, options.cohort)
    rows = []
    for arm in hand_set(studies):
        if not (seeds := seeds_of(studies, arm.epochs)):
            continue
        own = kept_rows(options.results, name, arm, seeds)
        print(f"{name}, {arm.epochs} epochs: {arm.name}{', kept' if own else ''}", flush=True)
        errors = [] if own else confirm(objective, executor, arm.schedule, arm.epochs, seeds)
        rows += own or arm_rows(name, arm, seeds, errors)
    return rows


if __name__ == "__main__":
    run_command(Options, main)
