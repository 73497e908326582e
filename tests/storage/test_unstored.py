"""Files of trials that were not stored are removed at the next start of their study, and no others."""

import errno
import uuid

import pytest
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta

from study.storage.unstored import journal_of
from study.storage.url import artifact_folder
from tests.helpers import open_small, run_search


class KilledError(Exception):
    """Stands for a kill."""


def search_killed_before_a_trial_is_stored(storage, workload):
    """The names of the files that it leaves without a trial."""

    def search():
        with open_small(storage, workload) as study:
            attach = study.watcher.attach

            def killed(trial):
                if attach(trial).system_attrs:
                    raise KilledError
                return trial

            study.watcher.attach = killed
            for _ in study.search(10):
                pass

    with pytest.raises(KilledError):
        search()
    return names_in(artifact_folder(storage))


def names_in(folder):
    """The names of the files that the folder shows."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def names_stored(study):
    trials = study.get_trials()
    return {meta.artifact_id for trial in trials for meta in get_all_artifact_meta(trial, storage=study._storage)}


def test_what_a_kill_leaves_is_removed_and_nothing_else(storage, workload):
    folder = artifact_folder(storage)
    left = search_killed_before_a_trial_is_stored(storage, workload)
    assert len(left) == 2
    others = {str(uuid.uuid4()), "notes.txt"}
    for name in others:
        (folder / name).touch()
    run_search(storage, workload, 10)
    with open_small(storage, workload) as study:
        stored = names_stored(study.optuna_study)
    assert stored
    assert not stored & left
    assert {path.name for path in folder.iterdir()} == stored | others, "the journal is gone, too"


def test_the_files_of_a_database_that_was_moved_are_kept(storage, workload, tmp_path):
    """A new study of the same name is made in its place, and is killed, too."""
    folder = artifact_folder(storage)
    run_search(storage, workload, 10)
    before = names_in(folder)
    (tmp_path / "studies.db").rename(tmp_path / "kept.db")
    search_killed_before_a_trial_is_stored(storage, workload)
    run_search(storage, workload, 10)
    assert before
    assert before < names_in(folder)


def test_a_file_that_is_stored_is_kept_although_it_is_in_the_journal(storage, workload):
    run_search(storage, workload, 10)
    folder = artifact_folder(storage)
    before = names_in(folder)
    with open_small(storage, workload) as study:
        journal = journal_of(study.optuna_study, str(folder))
        journal.write_text("\n".join([*before, "../studies.db"]))
    assert names_in(folder) == before
    assert (folder.parent / "studies.db").exists()
    assert not journal.exists()


def test_a_full_disk_leaves_no_file(storage, workload, monkeypatch):
    def full(store, artifact_id, content_body):
        (artifact_folder(storage) / artifact_id).touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemArtifactStore, "write", full)
    run_search(storage, workload, 10)
    assert list(artifact_folder(storage).iterdir()) == []
