"""Copy a study to another storage, with its trials and artifacts: the search continues there with the same trials.

Examples:
    python scripts/copy_study.py --study NAME --to postgresql://HOST/DATABASE
    python scripts/copy_study.py --study NAME --from postgresql://HOST/DATABASE --to sqlite:///results/studies.db

The original stays as it is.
"""

from __future__ import annotations

import study.early  # noqa: F401

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

from search_spaces.errors import InputError
from study.cli import plain_console, quick_imports, run_command
from study.flags import Shown
from study.storage.place import check_artifacts
from study.storage.url import DEFAULT_STORAGE, is_same_database, parse

if TYPE_CHECKING:
    import optuna

    from study.storage.study_record import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line gives."""

    study: str
    """Name of the study, or of a benchmark, whose studies are then copied."""
    from_: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    to: Annotated[str, Shown(metavar="URL")]
    """Database to copy it to."""
    name: str | None = None
    """Name of the copy. Default: the same."""
    artifacts: Annotated[str | None, Shown(metavar="PLACE")] = None
    """Folder or s3://BUCKET/PREFIX for the pictures and curves of the copy. Default: beside its database."""

    def __post_init__(self) -> None:
        source, target = parse(self.from_), parse(self.to)
        check_artifacts(self.artifacts)
        if self.name is None and is_same_database(source, target):
            raise InputError("--from and --to are the same database: give --name for the copy, or another --to")


def main(options: Options) -> None:
    """Copy, and print what was copied. Of a benchmark, what an earlier command has copied is left alone."""
    with quick_imports():  # these load Optuna: after the flags
        from study.storage.copying import copy_study_to, is_copied
        from study.storage.studies import read_studies

    console = plain_console()
    records = read_studies(options.from_, options.study)
    is_benchmark = len(records) > 1 or records[0].name != options.study
    if options.name and is_benchmark:
        raise InputError(f"{options.study!r} is a benchmark, whose studies keep their names: remove --name")
    for record in records:
        if is_benchmark and is_copied(options.to, record.name):
            console.print(f"Study {record.name!r} was copied before")
            continue
        name = options.name or record.name
        copied = copy_study_to(
            options.from_, record.name, options.to, name, options.artifacts, partial(show, options.to)
        )
        console.print(f"Copied study {record.name!r}: {copied.trials} trials, {copied.artifacts} artifacts")
        if copied.missing:
            some = "1 artifact is" if copied.missing == 1 else f"{copied.missing} artifacts are"
            console.print(f"note: {some} not where the study says: run this command in the folder that holds them")


def show(storage: str, copy: optuna.Study, record: StudyRecord) -> None:
    """Write the note of the copy for its dashboard: its commands name the new storage."""
    from optuna_dashboard import save_note

    from study.reports.dashboard.note import note

    save_note(copy, note(record, storage))


if __name__ == "__main__":
    run_command(Options, main)
