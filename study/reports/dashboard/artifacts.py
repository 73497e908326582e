"""The artifacts of a trial: the picture of its run, and its curve as CSV.

A trial is stored in one piece when it has ended, and cannot be given artifacts after that. So they are uploaded for a
trial of a study in memory, and what Optuna notes there goes with the real one.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial

from study.reports.dashboard.lr_curve import lr_line
from study.reports.dashboard.trial_picture import Panel, run_picture
from study.storage.trial_record import TrialRecord

PICTURE, CURVE = "run.svg", "curve.csv"


@dataclass
class Artifacts:
    """Where the artifacts of a study are kept. problem: why some are missing."""

    folder: Path
    problem: str | None = None

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial, which is not stored yet, with its artifacts if it ran to its end.

        If they cannot be written it goes without: no trial is lost for a picture.
        """
        record = TrialRecord.of(trial)
        if record.complete:
            try:
                trial.system_attrs = trial.system_attrs | self.written(record)
            except OSError as error:
                self.problem = f"trials without picture and curve, as {self.folder} cannot be written: {error.strerror}"
        return trial

    def written(self, trial: TrialRecord) -> dict[str, Any]:
        """Write the files; what Optuna notes of them."""
        assert trial.curve is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        store = FileSystemArtifactStore(self.folder)
        beside = optuna.create_study(sampler=RandomSampler())
        bearer = beside.ask()
        with TemporaryDirectory() as name:
            picture, table = Path(name) / PICTURE, Path(name) / CURVE
            picture.write_text(picture_of(trial))
            with table.open("w", newline="") as file:
                columns = trial.curve.columns
                csv.writer(file, lineterminator="\n").writerows([list(columns), *zip(*columns.values(), strict=True)])
            for path in (picture, table):
                upload_artifact(artifact_store=store, file_path=str(path), study_or_trial=bearer)
        return beside.get_trials(deepcopy=False)[0].system_attrs


def picture_of(trial: TrialRecord) -> str:
    """The lr above, what was learned with it below."""
    assert trial.curve is not None
    curve, line, value_name = trial.curve, lr_line(trial), f"val_{trial.curve.metric}"
    panels = [
        Panel("lr", line.x, line.y, low=0.0),
        Panel(f"{value_name} at each evaluation", curve.steps, curve.values),
    ]
    return run_picture(f"{trial.family}: {value_name} {trial.value:.4f}", panels)
