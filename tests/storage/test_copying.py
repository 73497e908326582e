"""A copied study: all of it is there, it continues as the original, and a copy that is cut off is copied anew."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta

from search_spaces import InputError
from study.storage import copying
from study.storage.artifact_places import AllPlaces, artifact_store
from study.storage.copying import copy_study_to, is_copied
from study.storage.studies import connect_to_read
from tests.helpers import SMALL, finished, open_small, run_search

QUICK = replace(SMALL, epochs=2, rung_fractions=(0.5,), trials_per_bracket=5)
"""Two brackets are ten trials."""


def search(storage, workload, trials, name="small"):
    return finished(run_search(storage, workload, trials, QUICK, name))


def content(storage, name="small"):
    """All that Optuna keeps of the study: attributes, trials, artifacts; but for numbers that are the storage's own."""
    connected = connect_to_read(storage)
    study = optuna.load_study(study_name=name, storage=connected)
    everywhere, artifacts = AllPlaces(connected, storage), {}
    for trial in study.get_trials():
        for meta in get_all_artifact_meta(trial, storage=connected):
            with everywhere.open_reader(meta.artifact_id) as file:
                artifacts[meta.artifact_id] = (trial.number, meta.filename, meta.mimetype, file.read())
    trials = [{key: value for key, value in vars(trial).items() if key != "_trial_id"} for trial in study.get_trials()]
    noted = connected.get_study_system_attrs(connected.get_study_id_from_name(name))
    return dict(study.user_attrs), noted, trials, artifacts, study.direction, study.metric_names


@pytest.fixture(scope="module")
def expected(workload, tmp_path_factory):
    """The trials of a study that was never moved."""
    return search(f"sqlite:///{tmp_path_factory.mktemp('expected')}/studies.db", workload, 10)


@pytest.fixture
def other(tmp_path):
    return f"sqlite:///{tmp_path / 'other.db'}"


def test_a_study_goes_to_the_server_and_back(storage, other, database, workload, expected, tmp_path):
    search(storage, workload, 5)
    place = str(tmp_path / "artifacts of the team")
    there = copy_study_to(storage, "small", database, "small", artifacts=place)
    assert (there.trials, there.missing) == (5, 0)
    assert there.artifacts >= 2
    before, after = content(storage), content(database)
    added = {"copied_from": after[0]["copied_from"], "artifacts": [place]}
    assert after == ({**before[0], **added}, *before[1:])
    assert added["copied_from"]["study"] == "small"
    assert search(database, workload, 10) == expected
    back = copy_study_to(database, "small", other, "back")
    assert (back.study, back.trials, back.missing) == ("back", 10, 0)
    assert content(other, "back")[1:] == content(database)[1:]
    assert search(storage, workload, 10) == expected, "the original continues, too"


@pytest.mark.slow
def test_a_bracket_under_way_continues_in_the_copy(storage, database, workload, expected):
    seen = []

    def interrupted():
        return bool(seen) and seen[-1].number == 1 and seen[-1].tried == 3

    def stopped_search():
        with open_small(storage, workload, QUICK) as study:
            for bracket in study.search(10, interrupted):
                seen.append(bracket)

    with pytest.raises(KeyboardInterrupt):
        stopped_search()
    with open_small(storage, workload, QUICK) as study:
        assert study.optuna_study.user_attrs["unfinished"]["candidates"], "there are runs that wait for the others"
    copy_study_to(storage, "small", database, "small")
    assert search(database, workload, 10) == expected


def test_a_copy_that_is_cut_off_is_no_study_and_is_copied_anew(storage, other, workload, monkeypatch):
    search(storage, workload, 5)

    def cut_off(*arguments):
        raise RuntimeError("the power failed")

    with monkeypatch.context() as patch:
        patch.setattr(copying, "attributes_of_copy", cut_off)
        with pytest.raises(RuntimeError):
            copy_study_to(storage, "small", other, "small")
    with pytest.raises(InputError, match="'small' was not made by this project"), open_small(other, workload, QUICK):
        pass
    copy_study_to(storage, "small", other, "small")
    assert content(other)[1:3] == content(storage)[1:3]


def test_what_cannot_be_copied_is_refused(storage, other, workload):
    search(storage, workload, 1)
    search(other, workload, 1)
    with pytest.raises(InputError, match="other.db already holds a study 'small': choose another name with --name"):
        copy_study_to(storage, "small", other, "small")
    for opened in (storage, other):
        with (
            open_small(opened, workload, QUICK),
            pytest.raises(InputError, match="study 'small' is being searched by process"),
        ):
            copy_study_to(storage, "small", other, "small")
    with pytest.raises(InputError, match="there is no database"):
        copy_study_to(f"{storage}2", "small", other, "copy")


@pytest.mark.slow
def test_artifacts_that_are_gone_are_counted(storage, other, workload, tmp_path):
    search(storage, workload, 5)
    gone = next(iter(content(storage)[3]))
    artifact_store(tmp_path / "studies.db.artifacts").remove(gone)
    copied = copy_study_to(storage, "small", other, "small")
    assert copied.missing == 1
    assert copied.artifacts >= 1


def test_a_copy_in_the_same_place_destroys_nothing(storage, other, workload, tmp_path):
    search(storage, workload, 5)
    before = content(storage)[3]
    assert all(file for *_, file in before.values())
    copied = copy_study_to(storage, "small", storage, "its copy")
    assert (copied.artifacts, copied.missing) == (len(before), 0)
    assert content(storage)[3] == content(storage, "its copy")[3] == before
    (tmp_path / "link").symlink_to(tmp_path / "studies.db.artifacts")
    copy_study_to(storage, "small", other, "small", artifacts=str(tmp_path / "link"))
    assert content(storage)[3] == content(other)[3] == before
    with pytest.raises(InputError, match="study 'small' is in .*studies.db already: give --name for its copy"):
        copy_study_to(storage, "small", f"sqlite:///{tmp_path}/../{tmp_path.name}/studies.db", "small")


def test_a_copy_whose_note_failed_is_copied_anew(storage, other, workload):
    def fail(copy, record):
        raise RuntimeError("the power failed")

    search(storage, workload, 1)
    with pytest.raises(RuntimeError):
        copy_study_to(storage, "small", other, "renamed", finish=fail)
    assert not is_copied(other, "small")
    seen = []
    copy_study_to(storage, "small", other, "small", finish=lambda copy, record: seen.append((copy, record)))
    assert is_copied(other, "small")
    [(copy, record)] = seen
    assert (record.name, len(record.trials), len(copy.trials)) == ("small", 1, 1)
    copy_study_to(storage, "small", other, "renamed", finish=lambda copy, record: seen.append((copy, record)))
    assert (seen[1][1].name, seen[1][1].group) == ("renamed", "renamed")


def test_a_source_where_nothing_can_be_written_needs_no_owner(storage, other, workload, tmp_path, monkeypatch):
    search(storage, workload, 1)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    access = os.access
    shutil.rmtree(tmp_path / "studies.db.locks")
    place = str(tmp_path)
    monkeypatch.setattr("os.access", lambda path, mode: access(path, mode) and (str(path), mode) != (place, os.W_OK))
    monkeypatch.chdir("/")
    (tmp_path / "elsewhere").mkdir()
    copied = copy_study_to(storage, "small", f"sqlite:///{tmp_path}/elsewhere/other.db", "small")
    assert copied.trials == 1
    assert not (tmp_path / "studies.db.locks").exists()
