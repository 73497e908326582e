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
    device: Device = "cpu"
    """cpu, cuda, or auto: CUDA if there is a GPU."""
    data_root: Path = DATA_ROOT
    """Directory for datasets that are downloaded or generated."""

    def __post_init__(self) -> None:
        require_at_least(1, self, "cohort")


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
        of_benchmarks = [rows_of(options, name, studies) for name, studies in found.items()]
        write_arms([row for rows, _ in of_benchmarks for row in rows], options.results)
        if any(trained for _, trained in of_benchmarks):
            manifest = options.results / "known" / "manifest.json"
            earlier = json.loads(manifest.read_text()) if manifest.is_file() else []
            made = [*earlier, provenance(choose_device(options.device))]
            manifest.write_text(json.dumps(made, indent=1) + "\n")
    print(write_page(found, options.results))


def rows_of(options: Options, name: str, studies: list[StudyRecord]) -> tuple[list[dict[str, Any]], bool]:
    """The rows of one benchmark's arms, and whether some were missing: those are trained, a budget's together."""
    from study.evidence.fresh_seeds import trainer
    from study.evidence.known.fixed_schedules import hand_set, seeds_of
    from study.evidence.known.known_results_page import arm_rows, kept_rows
    from study.search.confirm import confirm_each
    from study.source import make_objective

    seeds = {arm: found for arm in hand_set(studies) if (found := seeds_of(studies, arm.epochs))}
    rows = {arm: kept_rows(options.results, name, arm, seeds[arm]) for arm in seeds}
    missing = [arm for arm in rows if not rows[arm]]
    if rows:
        print(f"{name}: {len(rows) - len(missing)} arms kept", flush=True)
    if missing:
        what, unit = WorkloadOptions.stored(studies[0].configuration), studies[0].settings.unit
        objective = make_objective(what, options.device, options.data_root).counting(unit)
        executor = trainer(objective, options.cohort)
    for budget in dict.fromkeys(arm.epochs for arm in missing):
        arms = [arm for arm in missing if arm.epochs == budget]
        print(f"{name}, {budget} {unit}: {', '.join(arm.name for arm in arms)}", flush=True)
        values = confirm_each(objective, executor, [arm.schedule for arm in arms], budget, seeds[arms[0]])
        rows |= {arm: arm_rows(name, arm, seeds[arm], own) for arm, own in zip(arms, values, strict=True)}
    return [row for own in rows.values() for row in own], bool(missing)


if __name__ == "__main__":
    run_command(Options, main)
