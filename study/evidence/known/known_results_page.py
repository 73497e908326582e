"""results/known/: the hand-picked configurations as CSV, and the page made from them, the reports and recorded runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study.analysis.family_results import by_budget, ranking
from study.evidence.known.fixed_schedules import Arm, seeds_of
from study.evidence.known.known_results import AGREEMENT, Benchmark, all_known
from study.evidence.known.language_results import language_results
from study.evidence.known.mean_rate import mean_rate_table
from study.executors.recorded_runs import read_recorded
from study.objective import length_in_words
from study.reports.markdown import escaped, table
from study.reports.measure import confirmed_measure
from study.reports.report import is_benchmark
from study.storage.archive import TRIALS, read_archive
from study.storage.csv_rows import read_csv, write_csv
from study.storage.study_record import StudyRecord

ARMS, PAGE = "arms.csv", "known.md"
CONTROL = "constant"


def read_benchmarks(results: Path) -> dict[str, list[StudyRecord]]:
    """The benchmarks of families whose reports are in the directory, by name."""
    found = {folder.name: read_archive(folder) for folder in sorted(p.parent for p in results.glob(f"*/{TRIALS}"))}
    return {name: studies for name, studies in found.items() if is_benchmark(studies)}


def arm_rows(name: str, arm: Arm, seeds: Sequence[int], errors: Sequence[float]) -> list[dict[str, Any]]:
    """An arm of a benchmark as rows of arms.csv, one per fresh seed."""
    about = {"benchmark": name, "epochs": arm.epochs, "arm": arm.name, "schedule": repr(arm.schedule)}
    return [{**about, "seed": seed, "test": error} for seed, error in zip(seeds, errors, strict=True)]


def kept_rows(results: Path, name: str, arm: Arm, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """The existing rows of this arm; empty unless there is one for every seed."""
    path = results / "known" / ARMS
    wanted = [{key: str(value) for key, value in row.items()} for row in arm_rows(name, arm, seeds, [0.0] * len(seeds))]
    existing = read_csv(path) if path.is_file() else []
    found = [row for row in existing if {**row, "test": "0.0"} in wanted]
    return found if len(found) == len(seeds) else []


def kept_arms(results: Path, name: str, studies: Sequence[StudyRecord]) -> dict[int, dict[str, list[float]]]:
    """The test values of a benchmark's arms in arms.csv by budget, over the seeds that its families share.

    Arms that were not trained with all of these are left out.
    """
    values: dict[tuple[int, str], dict[int, float]] = defaultdict(dict)
    for row in read_csv(results / "known" / ARMS):
        if row["benchmark"] == name:
            values[int(row["epochs"]), row["arm"]][int(row["seed"])] = float(row["test"])
    arms: dict[int, dict[str, list[float]]] = defaultdict(dict)
    for (epochs, arm), own in values.items():
        seeds = seeds_of(studies, epochs)
        if seeds and set(seeds) <= set(own):
            arms[epochs][arm] = [own[seed] for seed in seeds]
    return arms


def write_page(found: Mapping[str, Sequence[StudyRecord]], results: Path) -> str:
    """Write known.md from arms.csv, the benchmarks and the recorded runs, all in the directory `results`."""
    benchmarks = [
        Benchmark(name.removeprefix("benchmark-"), studies, kept_arms(results, name, studies))
        for name, studies in found.items()
    ]
    recorded = {path.stem: read_recorded(path) for path in sorted(results.glob("search/recorded/*.jsonl"))}
    lines = [*all_known(benchmarks, recorded), *language_results(benchmarks)]
    rows = [[escaped(cell) for cell in line] for line in lines]
    parts = ["# What the benchmarks say", "## The best families", best_families(benchmarks)]
    parts += [
        "## Known results and ours",
        AGREEMENT.strip(),
        table(["known result", "workload", "ours", "verdict"], rows),
        "## Shape, or mean learning rate",
        mean_rate_table(benchmarks),
    ]
    text = "\n\n".join(parts) + "\n"
    (results / "known" / PAGE).write_text(text)
    return text


def best_families(benchmarks: Sequence[Benchmark]) -> str:
    """Markdown, one row per workload and budget: the best family, the ones tied with it, and the control."""
    rows = []
    for benchmark in benchmarks:
        for epochs, studies in by_budget(benchmark.studies).items():
            if not (ranked := ranking(studies)):
                continue
            best, *others = ranked
            ties = ", ".join(one.name for one in others if one.tied_with_best)
            control = next((one for one in others if one.name == CONTROL), None)
            measure = confirmed_measure(studies[0])
            behind = measure.number(control.to_best.mean, "+") if control else "-"
            length = length_in_words(epochs, studies[0].settings.unit)
            found = f"{measure.interval(best.mean)} {measure.shown_unit}"
            rows.append([benchmark.name, length, best.name, found, str(best.n), escaped(ties) or "none", behind])
    return table(["workload", "length", "best family", "on test", "seeds", "statistically tied", "constant"], rows)


def write_arms(rows: Sequence[dict[str, Any]], results: Path) -> None:
    """Write the rows of the arms."""
    (results / "known").mkdir(parents=True, exist_ok=True)
    write_csv(results / "known" / ARMS, rows)
