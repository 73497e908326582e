"""What is known of a longer run: advice before it, its values after it, the schedule to use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from search_spaces.export import Exported, torch_code
from search_spaces.schedule import Schedule
from study.analysis.extension import ENOUGH_STEPS, Extension
from study.analysis.peak_drift import peak_drifts
from study.cli import write
from study.objective import length_in_words
from study.reports.measure import confirmed_measure, validation_measure
from study.reports.rich_table import rich_table
from study.reports.run_lengths import drift_in_words, lengths_in_words
from study.reports.schedule_words import schedule_in_words
from study.reports.search_console import wrapped_line
from study.storage.longer_runs import LongerRun
from study.storage.study_record import StudyRecord


def advice(study: StudyRecord, extension: Extension) -> list[str]:
    """What the study says of a run of this budget, a line each."""
    trial, length = extension.trial, length_in_words(extension.budget, study.settings.unit)
    drift = drift_in_words(peak_drifts(study))
    scarce = (
        f"A full run of the study has {study.total_steps:,} steps, fewer than {ENOUGH_STEPS}: its best peak is likely "
        f"to be too high for {length}."
    )
    return [
        f"Trial {trial.number}: {schedule_in_words(trial.schedule)}",
        f"It was {lengths_in_words(study, trial)}" + (f"; {drift}." if drift else "."),
        *([scarce] if extension.scarce else []),
        f"A search at {length} is likely to find a better one (docs/evidence.md).",
    ]


LONGER_HEADS = ("peak_lr", "validation", "test")


def longer_rows(study: StudyRecord, runs: Sequence[LongerRun]) -> list[list[str]]:
    """Peak, validation and test value of each run, by peak."""
    validation, test = validation_measure(study), confirmed_measure(study)
    return [
        [f"{run.peak_lr:.3g}", validation.text(run.validation), "-" if run.test is None else test.text(run.test)]
        for run in sorted(runs, key=lambda run: run.peak_lr)
    ]


def longer_answer(study: StudyRecord, extension: Extension, best: LongerRun, runs: int) -> str:
    """Which schedule to use for the longer run."""
    length = length_in_words(extension.budget, study.settings.unit)
    measure = validation_measure(study) if best.test is None else confirmed_measure(study)
    rows, value = ("validation", best.validation) if best.test is None else ("test", best.test)
    chosen = "" if runs == 1 else f", the best of {runs} peaks on validation"
    return (
        f"Use {schedule_in_words(schedule_of(extension, best))} for {length}: {rows} {study.metric.name} "
        f"{measure.text(value)} in one run with a fresh seed{chosen}."
    )


def print_lines(console: Console, lines: Sequence[str]) -> None:
    """Print each line, wrapped."""
    for line in lines:
        console.print(wrapped_line(line, console.width))


def print_extension(
    console: Console,
    study: StudyRecord,
    extension: Extension,
    runs: Sequence[LongerRun],
    best: LongerRun,
    output: Path | None,
) -> None:
    """Print the values of the runs, the code of the best one, unless a file is to hold it, and the answer."""
    if console.quiet:
        return
    schedule = schedule_of(extension, best)
    code = torch_code(Exported(schedule, study.optimizer_code))
    length = length_in_words(extension.budget, study.settings.unit)
    comment = (
        f"# {schedule_in_words(schedule)}\n# trial {extension.trial.number} of study {study.name!r}, for {length}\n"
    )
    console.print(rich_table(LONGER_HEADS, longer_rows(study, runs)))
    if output:
        write(output, f"{comment}\n{code}\n".encode())
    else:
        console.print(f"\n{code}\n")
    print_lines(console, [longer_answer(study, extension, best, len(runs)), *([f"Code: {output}"] if output else [])])


def schedule_of(extension: Extension, run: LongerRun) -> Schedule:
    """The schedule of a run."""
    return next(one for one in extension.schedules if one.peak_lr == run.peak_lr)
