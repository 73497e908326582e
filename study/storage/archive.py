"""A study in files: trials.csv, curves.csv and manifest.json hold all that a report says, and give the study back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import json_to_distribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search_spaces.errors import InputError
from study.storage.csv_rows import read_csv, write_csv
from study.storage.records import finished_trials, spent_epochs

TRIALS, CURVES, MANIFEST = "trials.csv", "curves.csv", "manifest.json"
READABLE = ("study", "trial", "state", "value", "family", "peak_lr", "epochs_trained", "seconds")
"""What a person looks for first among the columns of trials.csv; the others are JSON, and complete the record."""


def write_archive(studies: Sequence[optuna.Study], folder: Path) -> None:
    """Write the finished trials of the studies, the curves of those that ran to their end, and the studies' attributes.

    Of the trials that are under way, only their number is kept.
    The same studies give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trials = [(study, number, trial) for study in studies for number, trial in enumerate(finished_trials(study))]
    write_csv(folder / TRIALS, [trial_row(study, number, trial) for study, number, trial in trials])
    curves = [(study, number, t) for study, number, t in trials if t.state == TrialState.COMPLETE]
    write_csv(folder / CURVES, [row for study, number, trial in curves for row in curve_rows(study, number, trial)])
    manifest = [
        {
            "name": study.study_name,
            "direction": study.direction.name.lower(),
            "attributes": {
                name: len(value.get("candidates", ())) if name == "unfinished" else value
                for name, value in sorted(study.user_attrs.items())
            },
        }
        for study in studies
    ]
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def read_archive(folder: Path) -> list[optuna.Study]:
    """The studies that were written there, in memory; raises InputError where there are none."""
    if not all((folder / name).is_file() for name in (TRIALS, CURVES, MANIFEST)):
        raise InputError(f"{folder} holds no report: it needs {TRIALS}, {CURVES} and {MANIFEST}")
    curves: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for row in read_csv(folder / CURVES):
        columns = curves.setdefault((row.pop("study"), row.pop("trial")), {})
        for name, value in row.items():
            columns.setdefault(name, []).append(json.loads(value) if value else None)
    studies = {}
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except ValueError as error:
        raise InputError(f"{folder / MANIFEST} is damaged ({error}): write the report again from its study") from error
    for kept in manifest:
        study = optuna.create_study(study_name=kept["name"], direction=kept["direction"])
        for name, value in kept["attributes"].items():
            study.set_user_attr(name, value)
        studies[kept["name"]] = study
    for row in read_csv(folder / TRIALS):
        study = studies[row["study"]]
        study.add_trial(as_trial(row, study, curves.get((row["study"], row["trial"]))))
    return list(studies.values())


def trial_row(study: optuna.Study, number: int, trial: FrozenTrial) -> dict[str, Any]:
    """A trial as a line of trials.csv."""
    readable = (
        study.study_name,
        number,
        trial.state.name.lower(),
        trial.value,
        trial.params["family"],
        trial.params["peak_lr"],
        spent_epochs(trial),
        trial.user_attrs["record"]["seconds"],
    )
    others = {"parameters": trial.params, "reported": trial.intermediate_values, "record": trial.user_attrs["record"]}
    return dict(zip(READABLE, readable, strict=True)) | {name: json.dumps(value) for name, value in others.items()}


def as_trial(row: dict[str, str], study: optuna.Study, curve: dict[str, list[Any]] | None) -> FrozenTrial:
    """The trial of a line of trials.csv."""
    space = study.user_attrs["configuration"]["space"]
    params = json.loads(row["parameters"])
    return create_trial(
        state=TrialState[row["state"].upper()],
        value=float(row["value"]),
        params=params,
        distributions={name: json_to_distribution(json.dumps(space[name])) for name in params},
        intermediate_values={int(epoch): value for epoch, value in json.loads(row["reported"]).items()},
        user_attrs={"record": json.loads(row["record"])} | ({"curve": curve} if curve else {}),
    )


def curve_rows(study: optuna.Study, number: int, trial: FrozenTrial) -> list[dict[str, Any]]:
    """A trial's last run as lines of curves.csv, one for each evaluation."""
    curve = trial.user_attrs["curve"]
    lines = zip(*curve.values(), strict=True)
    return [{"study": study.study_name, "trial": number, **dict(zip(curve, line, strict=True))} for line in lines]
