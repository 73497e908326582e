"""Check published claims about schedules against our benchmarks; writes the table results/known/known.md.

It reads the reports of the benchmarks in results/, and trains a few hand-picked schedules derived from them with the
same fresh seeds. Schedules that were trained before are not trained again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError, require_at_least
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
    workers: int = 0
    """Worker processes; 0 trains in this one."""
    device: Device = "cpu"
    """cpu, cuda, or auto: CUDA if there is a GPU."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "cohort")
        require_at_least(0, self, "workers")


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
        manifest = options.results / "known" / "manifest.json"
        made = json.loads(manifest.read_text()) if manifest.is_file() else []
        made = made if isinstance(made, list) else [made]  # as it was when all rows were trained at once
        made.append(provenance(choose_device(options.device)))  # rows that were trained earlier are kept
        manifest.write_text(json.dumps(made, indent=1) + "\n")
    print(write_page(found, options.results))


def trained(options: Options, name: str, studies: list[StudyRecord]) -> list[dict[str, Any]]:
    """The rows of one benchmark's arms; those of a budget that are missing are trained together, on its workload."""
    from study.evidence.known.fixed_schedules import hand_set, seeds_of
    from study.evidence.known.known_results_page import arm_rows, kept_rows
    from study.executors.choice import executor_of
    from study.objective import Engine
    from study.search.confirm import confirm_each
    from study.source import make_objective

    arms = [(arm, seeds) for arm in hand_set(studies) if (seeds := seeds_of(studies, arm.epochs))]
    rows = {arm: kept_rows(options.results, name, arm, seeds) for arm, seeds in arms}
    unit = studies[0].settings.unit
    if rows and all(rows.values()):
        print(f"{name}: all {len(rows)} arms kept", flush=True)
    for budget in {arm.epochs: None for arm in rows if not rows[arm]}:
        missing = [arm for arm in rows if arm.epochs == budget and not rows[arm]]
        print(f"{name}, {budget} {unit}: {', '.join(arm.name for arm in missing)}", flush=True)
        what = WorkloadOptions.stored(studies[0].configuration)
        objective = make_objective(what, options.device, options.data_root).counting(unit)
        cohort = options.cohort if options.cohort > 1 and objective.lockstep_obstacle() is None else 1
        schedules, seeds = [arm.schedule for arm in missing], seeds_of(studies, budget)
        with executor_of(Engine(cohort, options.workers), objective) as executor:
            found = confirm_each(objective, executor, schedules, budget, seeds)
        rows |= {arm: arm_rows(name, arm, seeds, errors) for arm, errors in zip(missing, found, strict=True)}
    return [row for own in rows.values() for row in own]


if __name__ == "__main__":
    run_command(Options, main)
