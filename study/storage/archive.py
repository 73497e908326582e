"""A study in files: trials.csv, curves.csv and manifest.json hold all that a report shows; it can be read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError, words_of
from study.storage.csv_rows import csv_of, rows_of
from study.storage.damage import DAMAGED, reason
from study.storage.record_format import FORMAT
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord
from study.storage.typed import as_tuple
from study.storage.whole_files import write_whole

TRIALS, CURVES, MANIFEST = "trials.csv", "curves.csv", "manifest.json"
READABLE = ("study", "trial", "state", "value", "family", "peak_lr", "epochs_trained", "seconds")
"""The first columns of trials.csv, for people; the others are JSON and complete the record."""
COMPLETE, PRUNED = "complete", "pruned"


def write_archive(studies: Sequence[StudyRecord], folder: Path) -> None:
    """Write the files of these studies to the folder, all or none."""
    write_whole(folder, archive_of(studies))


def archive_of(studies: Sequence[StudyRecord]) -> dict[str, bytes]:
    """The trials of the studies, the curves of those that ran to their end, and the studies' attributes, as files.

    Only the number of unfinished trials is written, not the trials. The same studies give the same bytes.
    """
    curves = [(study.name, trial) for study in studies for trial in study.complete]
    manifest = [
        {"name": study.name, "direction": study.metric.direction, "attributes": dict(sorted(study.stored.items()))}
        for study in studies
    ]
    return {
        TRIALS: csv_of([trial_line(study.name, trial) for study in studies for trial in study.trials]),
        CURVES: csv_of([row for name, trial in curves for row in curve_lines(name, trial)]),
        MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode(),
    }


def read_archive(folder: Path) -> list[StudyRecord]:
    """The studies that were written there; raises InputError if the files are missing or damaged."""
    if not all((folder / name).is_file() for name in (TRIALS, CURVES, MANIFEST)):
        raise InputError(f"{folder} holds no report: it needs {TRIALS}, {CURVES} and {MANIFEST}")
    return archived({name: (folder / name).read_bytes() for name in (TRIALS, CURVES, MANIFEST)}, folder)


def archived(files: Mapping[str, bytes], folder: Path) -> list[StudyRecord]:
    """The studies that these files hold. folder: where they are, or will be, for messages."""
    again = "write the report again from its study"
    try:
        manifest = json.loads(files[MANIFEST])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{folder / MANIFEST} is damaged ({words_of(error)}): {again}") from error
    try:
        for kept in as_tuple(manifest):
            if kept["attributes"].get("format") != FORMAT:
                raise ValueError(f"record format {kept['attributes'].get('format')}, not {FORMAT}")
        curves = read_curves(files[CURVES])
        trials: dict[str, list[TrialRecord]] = {kept["name"]: [] for kept in manifest}
        for row in rows_of(files[TRIALS]):
            trials[row["study"]].append(read_trial(row, curves.get((row["study"], row["trial"]))))
        return [StudyRecord.read(kept["name"], kept["attributes"], trials[kept["name"]]) for kept in manifest]
    except DAMAGED as error:
        raise InputError(f"the report in {folder} cannot be read ({reason(error)}): {again}") from error


def trial_line(study: str, trial: TrialRecord) -> dict[str, Any]:
    """A trial as a line of trials.csv."""
    state = COMPLETE if trial.complete else PRUNED
    seen = (study, trial.number, state, trial.value, trial.family, trial.peak_lr, trial.epochs_spent, trial.seconds)
    others = {"parameters": trial.params, "reported": trial.reported, "record": trial.stored["record"]}
    return dict(zip(READABLE, seen, strict=True)) | {name: json.dumps(value) for name, value in others.items()}


def read_trial(row: dict[str, str], curve: dict[str, list[Any]] | None) -> TrialRecord:
    """The trial of a line of trials.csv."""
    return TrialRecord.read(
        number=int(row["trial"]),
        complete={COMPLETE: True, PRUNED: False}[row["state"]],
        value=row["value"],
        params=json.loads(row["parameters"]),
        reported=json.loads(row["reported"]),
        stored={"record": json.loads(row["record"]), "curve": curve},
    )


def curve_lines(study: str, trial: TrialRecord) -> list[dict[str, Any]]:
    """A trial's last run as lines of curves.csv, one for each evaluation."""
    columns = trial.curve.columns if trial.curve else {}
    lines = zip(*columns.values(), strict=True)
    return [{"study": study, "trial": trial.number, **dict(zip(columns, line, strict=True))} for line in lines]


def read_curves(content: bytes) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """By study and number of the trial: the columns of its curve."""
    curves: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for row in rows_of(content):
        columns = curves.setdefault((row.pop("study"), row.pop("trial")), {})
        for name, value in row.items():
            columns.setdefault(name, []).append(json.loads(value) if value else None)
    return curves
