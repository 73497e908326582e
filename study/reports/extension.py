"""What is known of a longer run: advice before it, its values after it, the schedule to use."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from search_spaces.export import shown_code, torch_code
from study.analysis.answer import value_of
from study.analysis.extension import ENOUGH_STEPS, Extension, shorter_runs_beating
from study.analysis.own_schedule import keeps_own_schedule, known_length
from study.analysis.statistics import t_interval
from study.cli import write
from study.objective import length_in_words
from study.reports.answer import value_with_interval
from study.reports.failed_runs import AGAIN, unconfirmed
from study.reports.measure import Measure, confirmed_measure, validation_measure
from study.reports.rich_table import rich_table
from study.reports.run_lengths import drift_in_words, lengths_in_words
from study.reports.schedule_origin import exported
from study.reports.schedule_words import family_in_words, family_of_study, given_in_words, trained_in_words
from study.reports.search_console import MOST_COLUMNS, wrapped_line
from study.search.configuration import MOST_LONGER_RUNS
from study.storage.finals import FEWEST_LEFT, FailedRun, FinalRun
from study.storage.study_record import StudyRecord

ONE_RUN = "Add --confirm-seeds 8 for a mean with its interval."


def advice(study: StudyRecord, extension: Extension) -> list[str]:
    """What the study says of a run of this budget, a line each."""
    trial, length = extension.recommended, length_in_words(extension.budget, study.settings.unit)
    drift = drift_in_words(study)
    scarce = (
        f"A full run of the study has {study.total_steps:,} steps, fewer than {ENOUGH_STEPS}: its best peak is likely "
        f"to be too high for {length}."
    )
    return [
        f"Trial {trial.number}: {trained_in_words(study, trial)}",
        f"It was {lengths_in_words(study, trial)}" + (f"; {drift}." if drift else "."),
        *([scarce] if extension.scarce and known_length(study)[1] == "steps" else []),
    ]


LONGER_HEADS = ("trial", "family", "peak_lr", "validation", "test")


def longer_rows(study: StudyRecord, runs: Sequence[FinalRun]) -> list[list[str]]:
    """Schedule, validation and test value of each run, in the order in which they were tried."""

    def shown(value: float | None, measure: Measure) -> str:
        return "-" if value is None else "diverged" if value == study.metric.worst else measure.text(value)

    def line(run: FinalRun) -> list[str]:
        trial = study.trial(run.trial)
        values = shown(run.validation, validation_measure(study)), shown(run.test, confirmed_measure(study))
        return [str(run.trial), family_in_words(family_of_study(study, trial.family)), f"{trial.peak_lr:.3g}", *values]

    return [line(run) for run in runs]


def longer_answer(
    study: StudyRecord, extension: Extension, best: FinalRun, tried: int, confirming: Sequence[FinalRun], seeds: int = 0
) -> str:
    """Which schedule to use for the longer run.

    tried: of how many it is the best. confirming: its further runs, those of `seeds` that did not fail.
    """
    length = length_in_words(extension.budget, study.settings.unit)
    again = confirming if len(confirming) >= FEWEST_LEFT else []
    runs = again or [best]
    of = f" of {seeds}" * (len(again) < seeds)
    over = f"over {len(runs)}{of} seeds" if again else "in one run with a fresh seed"
    on_test = any(run.test is not None for run in runs)
    measure = confirmed_measure(study) if on_test else validation_measure(study)
    value = t_interval([value_of(run, on_test, study.metric.worst) for run in runs])
    rows = "test" if on_test else "validation"
    chosen = "" if tried == 1 else f"; the best of {tried} schedules on validation"
    diverged = sum(run.validation == study.metric.worst for run in runs)
    lost = f", {diverged} of which diverged" if diverged else ""
    trial = study.trial(best.trial)
    schedule = trained_in_words(study, trial)
    found = f"{rows} {study.metric.name} {value_with_interval(measure, value)} {over}{lost}{chosen}."
    if better := shorter_runs_beating(study, best):
        shorter = length_in_words(study.settings.epochs, study.settings.unit)
        return (
            f"{schedule} in {length}: {found} On validation that is worse than each of its {better} runs of {shorter}, "
            f"so no schedule is recommended: {what_else(extension)}."
        )
    return f"Use {schedule} for {length}: {found}"


def what_else(extension: Extension) -> str:
    """What to do if the longer runs have failed."""
    few = len(extension.trials) == 1
    return f"use --runs {MOST_LONGER_RUNS}, or search at that length" if few else "search at that length"


def none_ended_well(study: StudyRecord, extension: Extension, failed: Sequence[FailedRun]) -> str:
    """That no schedule can be recommended for the longer run, and what to do. failed: the runs that did not diverge."""
    length, tried = length_in_words(extension.budget, study.settings.unit), len(extension.trials)
    runs = "the run" if tried == 1 else f"all {tried} runs"
    if not failed:
        return f"{runs} of {length} diverged, so no schedule is recommended: {what_else(extension)}"
    how = "failed" if len(failed) == tried else "failed or diverged"
    what = "so no schedule is recommended: fix the cause, and type the same command again. The last failed with: "
    return f"{runs} of {length} {how}, {what}{failed[-1].failure}"


def print_lines(console: Console, lines: Sequence[str]) -> None:
    """Print each line, wrapped."""
    for line in lines:
        console.print(wrapped_line(line, console.width))


def print_extension(
    console: Console,
    study: StudyRecord,
    extension: Extension,
    tried: Sequence[FinalRun],
    best: FinalRun,
    confirming: Sequence[FinalRun],
    output: Path | None,
    seeds: int,
) -> None:
    """Print the values of the runs, the code of the best one, unless a file is to hold it, and the answer.

    seeds: with how many the best one was to be confirmed. If a script kept its own schedule, what to give it stands for
    the code.
    """
    if console.quiet:
        return
    trial, own = study.trial(best.trial), keeps_own_schedule(study)
    answer = longer_answer(study, extension, best, len(tried), confirming, seeds)
    console.print(rich_table(LONGER_HEADS, longer_rows(study, tried)))
    if output:
        origin = f"{answer} Trial {best.trial} of study {study.name!r}."
        comment = textwrap.fill(origin, MOST_COLUMNS, initial_indent="# ", subsequent_indent="# ")
        write(output, f"{comment}\n\n{torch_code(exported(study, trial))}\n".encode())
    elif not own:
        console.print(f"\n{shown_code(exported(study, trial))}\n")
    given = [given_in_words(study, trial, extension.budget * study.steps_per_epoch)] if own else []
    few = [unconfirmed(len(confirming), seeds)] if len(confirming) < min(FEWEST_LEFT, seeds) else []
    failed = [AGAIN] if len(confirming) < seeds or len(tried) < len(extension.trials) else []
    code = [f"Code: {output}"] if output else []
    lines = [answer, *given, *([] if seeds else [ONE_RUN]), *few, *failed, *code]
    print_lines(console, lines)
