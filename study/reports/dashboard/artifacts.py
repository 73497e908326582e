"""The artifacts of a trial: the picture of its run, and its curve as CSV.

A trial is stored in one piece when it has ended, and Optuna adds no artifacts to a finished trial. So the files are
uploaded for a trial of a study in memory, and what Optuna notes about them there is stored with the real trial.
"""

from __future__ import annotations

import csv
import os
import re
import time
from collections.abc import Callable, Collection
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
from study.reports.plot_style import family_color
from study.storage.artifact_places import artifact_store
from study.storage.trial_record import TrialRecord

PICTURE, CURVE = "run.svg", "curve.csv"
ARTIFACT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How Optuna names a file."""
SWEPT_AFTER = 3600.0
"""Seconds after which a file that no trial has is removed: its trial is stored at once, if it is."""


@dataclass
class Artifacts:
    """The artifacts of a study's trials. place: a folder or a bucket. problem: why some are missing."""

    place: str | Path
    problem: str | None = None

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial, which is not stored yet, with its artifacts if it ran to its end.

        If these cannot be written, the trial is stored without them.
        """
        record = TrialRecord.of(trial)
        if record.complete:
            try:
                trial.system_attrs = trial.system_attrs | self.written(record)
            except OSError as error:
                self.problem = f"pictures and curves of trials could not be written to {self.place} ({error.strerror})"
        return trial

    def sweep(self, noted: Callable[[], Collection[str]]) -> None:
        """Remove files that no trial has, as a kill leaves them between writing a file and storing its trial.

        noted: the names of all files that the storage knows, of any study. Files that are not old may be another's.
        """
        try:
            old = time.time() - SWEPT_AFTER
            found = [one for one in os.scandir(self.place) if one.is_file() and one.stat().st_mtime < old]
            if found:
                known = noted()
                for one in found:
                    if ARTIFACT.fullmatch(one.name) and one.name not in known:
                        os.unlink(one.path)
        except OSError:  # there is no such folder, or it may not be written to: nothing depends on it
            return

    def written(self, trial: TrialRecord) -> dict[str, Any]:
        """Write the files; returns what Optuna notes about them."""
        assert trial.curve is not None
        store = artifact_store(self.place)
        if isinstance(store, FileSystemArtifactStore):
            Path(self.place).mkdir(parents=True, exist_ok=True)
        in_memory = optuna.create_study(sampler=RandomSampler())
        bearer = in_memory.ask()
        with TemporaryDirectory() as name:
            picture, table = Path(name) / PICTURE, Path(name) / CURVE
            picture.write_text(picture_of(trial))
            with table.open("w", newline="") as file:
                columns = trial.curve.columns
                csv.writer(file, lineterminator="\n").writerows([list(columns), *zip(*columns.values(), strict=True)])
            for path in (picture, table):
                upload_artifact(artifact_store=store, file_path=str(path), study_or_trial=bearer)
        return in_memory.get_trials(deepcopy=False)[0].system_attrs


def picture_of(trial: TrialRecord) -> str:
    """The lr above, the evaluations below."""
    assert trial.curve is not None
    curve, line, value_name = trial.curve, lr_line(trial), f"val_{trial.curve.metric}"
    panels = [
        Panel("lr", line.x, line.y, low=0.0),
        Panel(value_name, curve.steps, curve.values),
    ]
    return run_picture(f"{trial.family}: {value_name} {trial.value:.4f}", panels, family_color(trial.family))
