"""A study in files: trials.csv, curves.csv and manifest.json hold all that a report shows; it can be read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError
from study.storage.csv_rows import read_csv, write_csv
from study.storage.damage import DAMAGED, reason
from study.storage.record_format import FORMAT
from study.storage.study_record import StudyRecord
from study.storage.trial_record import TrialRecord

TRIALS, CURVES, MANIFEST = "trials.csv", "curves.csv", "manifest.json"
READABLE = ("study", "trial", "state", "value", "family", "peak_lr", "epochs_trained", "seconds")
"""The first columns of trials.csv, for people; the others are JSON and complete the record."""
COMPLETE, PRUNED = "complete", "pruned"


def write_archive(studies: Sequence[StudyRecord], folder: Path) -> None:
    """Write the trials of the studies, the curves of those that ran to their end, and the studies' attributes.

    Only the number of unfinished trials is written, not the trials. The same studies give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / TRIALS, [trial_line(study.name, trial) for study in studies for trial in study.trials])
    curves = [(study.name, trial) for study in studies for trial in study.complete]
    write_csv(folder / CURVES, [row for name, trial in curves for row in curve_lines(name, trial)])
    manifest = [
        {"name": study.name, "direction": study.metric.direction, "attributes": dict(sorted(study.stored.items()))}
        for study in studies
    ]
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def read_archive(folder: Path) -> list[StudyRecord]:
    """The studies that were written there; raises InputError if there are none, or the files are damaged."""
    if not all((folder / name).is_file() for name in (TRIALS, CURVES, MANIFEST)):
        raise InputError(f"{folder} holds no report: it needs {TRIALS}, {CURVES} and {MANIFEST}")
    again = "write the report again from its study"
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except ValueError as error:
        raise InputError(f"{folder / MANIFEST} is damaged ({error}): {again}") from error
    try:
        for kept in manifest:
            if kept["attributes"].get("format") != FORMAT:
                raise ValueError(f"record format {kept['attributes'].get('format')}, not {FORMAT}")
        curves = read_curves(folder)
        trials: dict[str, list[TrialRecord]] = {kept["name"]: [] for kept in manifest}
        for row in read_csv(folder / TRIALS):
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


def read_curves(folder: Path) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """By study and number of the trial: the columns of its curve."""
    curves: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for row in read_csv(folder / CURVES):
        columns = curves.setdefault((row.pop("study"), row.pop("trial")), {})
        for name, value in row.items():
            columns.setdefault(name, []).append(json.loads(value) if value else None)
    return curves
