"""What a search prints: what it is, how it goes, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console

from study.reports.progress import Display
from study.reports.terminal import print_result
from study.search.study_plan import OpenStudy
from study.storage.study_record import StudyRecord
from study.storage.url import shown_url


@contextmanager
def shown_search(console: Console, study: OpenStudy, trials: int) -> Iterator[Display]:
    """Print what is searched; yields the display of its progress; prints what was found, also after an interruption.

    trials: how many the study is to hold.
    """
    plan, record = study.plan, study.record
    if plan.about:
        console.print(f"Data: {plan.about}")
    for difference in record.sessions[0].differences(record.sessions[-1]):
        console.print(f"note: not as when the study began, so the last bits may differ: {difference}")
    done = len(record.trials)
    if done >= trials:
        console.print(f"Study {plan.name!r} already holds {done} finished trials: nothing is left to do.")
    else:
        kept = f", kept in {shown_url(plan.storage)}" if plan.storage else ""
        console.print(f"Study {plan.name!r}: {plan.objective.name} on {record.sessions[-1].device}{kept}")
        if plan.known:
            console.print(f"Known schedules, tried first: {', '.join(one['family'] for one in plan.known)}")
    console.print(f"Engine: {study.engine} ({study.reason})")
    read = partial(StudyRecord.of, study.optuna_study)
    try:
        with Display(console, read, plan.configuration, trials) as display:
            yield display
    except KeyboardInterrupt:
        kept = "everything finished is kept; the same command goes on" if plan.storage else "what was found is returned"
        console.print(f"Interrupted: {kept}.")
        print_result(console, study.record, plan.storage)
        raise
    if study.watcher and study.watcher.problem:
        console.print(f"note: {study.watcher.problem}")
    print_result(console, study.record, plan.storage)
