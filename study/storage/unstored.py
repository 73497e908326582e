"""Files that are written for a trial before it is stored: a kill between the two leaves files that no trial has.

Their names are written to a journal first. So the next start of the same study knows them, and removes nothing else: a
folder may hold the files of other databases, or of one that was moved or kept.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import optuna
from optuna.artifacts import FileSystemArtifactStore

from study.storage.place import is_artifact_name, is_bucket

NOTED = "artifacts:"
"""How a key begins under which Optuna notes a file."""


class JournaledStore(FileSystemArtifactStore):
    """A folder of artifacts that writes the name of each to the journal first."""

    def __init__(self, folder: Path, journal: Path) -> None:
        super().__init__(str(folder))
        self.journal = journal

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        with self.journal.open("a") as file:
            file.write(f"{artifact_id}\n")
        super().write(artifact_id, content_body)


def journal_of(optuna_study: optuna.Study, place: str) -> Path | None:
    """The journal of a study in its folder, which no other study has; None in a bucket, where files stay."""
    if is_bucket(place):
        return None
    first = optuna_study.user_attrs.get("sessions", [""])[0]  # of a copy, too, but its trials have these files
    key = sha256(repr((optuna_study.study_name, first)).encode()).hexdigest()[:16]
    return Path(place) / f".unstored-{key}"


def files_of_trials(optuna_study: optuna.Study) -> set[str]:
    """The names of the files that the trials of a study have."""
    trials = optuna_study.get_trials(deepcopy=False)
    return {key.removeprefix(NOTED) for trial in trials for key in trial.system_attrs if key.startswith(NOTED)}


def remove_unstored(journal: Path, stored: Collection[str]) -> None:
    """Remove the files in the journal that no trial has, and then the journal."""
    with suppress(OSError):  # no such file, or a folder that may not be written to: nothing depends on it
        for name in journal.read_text().split():
            if is_artifact_name(name) and name not in stored:
                journal.with_name(name).unlink(missing_ok=True)
        journal.unlink()
