"""The artifacts of a trial: the picture of its run, and its curve as CSV.

A trial is stored in one piece when it has ended, and Optuna adds no artifacts to a finished trial. So the files are
uploaded for a trial of a study in memory, and what Optuna notes about them there is stored with the real trial.
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
from study.reports.plot_style import family_color
from study.storage.artifact_places import artifact_store
from study.storage.trial_record import TrialRecord
from study.storage.unstored import JournaledStore, remove_unstored

PICTURE, CURVE = "run.svg", "curve.csv"


@dataclass
class Artifacts:
    """The artifacts of a study's trials.

    place: a folder or a bucket. journal: of the files whose trial is not stored yet; None to keep none. problem: why
    some are missing.
    """

    place: str | Path
    journal: Path | None = None
    problem: str | None = None

    def attach(self, trial: FrozenTrial) -> FrozenTrial:
        """The trial, which is not stored yet, with its artifacts if it ran to its end. The one before it is stored.

        If these cannot be written, the trial is stored without them.
        """
        record = TrialRecord.of(trial)
        if record.complete:
            try:
                trial.system_attrs = trial.system_attrs | self.written(record)
            except OSError as error:
                self.problem = f"pictures and curves of trials could not be written to {self.place} ({error.strerror})"
                if self.journal:
                    remove_unstored(self.journal, ())
        return trial

    def written(self, trial: TrialRecord) -> dict[str, Any]:
        """Write the files; returns what Optuna notes about them."""
        assert trial.curve is not None
        store = artifact_store(self.place)
        if isinstance(store, FileSystemArtifactStore):
            Path(self.place).mkdir(parents=True, exist_ok=True)
        if self.journal:
            self.journal.unlink(missing_ok=True)
            store = JournaledStore(Path(self.place), self.journal)
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
