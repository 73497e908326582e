"""Check published claims about schedules against our benchmarks; writes the table results/known/known.md.

It reads the reports of the benchmarks in results/, and trains a few hand-picked schedules derived from them with the
same fresh seeds. Schedules that were trained before are not trained again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError, require
from study.cli import run_command
from study.flags import Device
from study.workloads.options import DATA_ROOT, WorkloadOptions

if TYPE_CHECKING:
    from study.storage.study_record import StudyRecord


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    results: Path = Path("results")
    """Folder of the reports. The table is written to its subfolder known."""
    rebuild: bool = False
    """Write the table again from the rows that are there, without training."""
    cohort: int = 16
    """Most runs trained together."""
    device: Device = "cpu"
    """cpu, cuda, or auto: CUDA if there is a GPU."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require(self.cohort >= 1, "--cohort must be at least 1", self.cohort)


def main(options: Options) -> None:
    """Train the arms, and print and write the table."""
    import optuna  # these load torch and Optuna: after the flags

    from study.evidence.known.known_results_page import ARMS, read_benchmarks, write_arms, write_page
    from study.machine import choose_device
    from study.storage.provenance import provenance

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = read_benchmarks(options.results)
    if not found:
        raise InputError(f"{options.results} holds no report of a benchmark: make one with scripts/benchmark.py")
    if options.rebuild:
        if not (options.results / "known" / ARMS).is_file():
            raise InputError(f"{options.results}/known holds no {ARMS}: remove --rebuild")
    else:
        rows = [row for name, studies in found.items() for row in trained(options, name, studies)]
        write_arms(rows, options.results)
        manifest = json.dumps(provenance(choose_device(options.device)), indent=1)
        (options.results / "known" / "manifest.json").write_text(manifest + "\n")
    print(write_page(found, options.results))


def trained(options: Options, name: str, studies: list[StudyRecord]) -> list[dict[str, Any]]:
    """The rows of one benchmark's arms; those that are missing are trained on its workload."""
    from study.evidence.fresh_seeds import trainer
    from study.evidence.known.fixed_schedules import hand_set, seeds_of
    from study.evidence.known.known_results_page import arm_rows, kept_rows
    from study.search.confirm import confirm
    from study.source import make_objective

    what = WorkloadOptions.stored(studies[0].configuration)
    objective = make_objective(what, options.device, options.data_root).counting(studies[0].settings.unit)
    executor = trainer(objective, options.cohort)
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
