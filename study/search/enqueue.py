"""The schedules that a study tries first, read from files or taken from the winners of other studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from search_spaces import Schedule
from search_spaces.errors import InputError
from search_spaces.schedule_file import as_params, as_written, read_file
from study.storage.studies import read_studies

STUDY = "study:"
"""The prefix of a study's name, for its winner."""
USAGE = "--enqueue takes a JSON file or study:NAME"


def read_known(sources: Sequence[str], storage: str | None, suggest: Callable[[Any], Schedule]) -> list[dict[str, Any]]:
    """The trial parameters of each schedule in these files, or of the winners of these studies, in order.

    sources: paths of JSON files, each with one schedule or a list of them, or `study:NAME`, in the storage.
    suggest: draws a schedule from a trial, within what is searched. Raises InputError, naming source and key, for what
    cannot be read or is not within that.
    """
    return [
        as_params(written, where, suggest)
        for source in sources
        for where, written in (winners_of(source, storage) if source.startswith(STUDY) else read_file(source, USAGE))
    ]


def winners_of(source: str, storage: str | None) -> Iterator[tuple[str, Any]]:
    """The winner of the study, or of each study of the benchmark of this name."""
    if storage is None:
        raise InputError(f"{source} needs the storage that holds the study, but storage is None: give storage=...")
    for record in read_studies(storage, source.removeprefix(STUDY)):
        if record.best is None:
            raise InputError(f"{source}: no trial of {record.name!r} has finished a full run yet: remove it")
        yield f"{STUDY}{record.name}", as_written(record.best.params)
