"""A study that was copied or renamed with Optuna's own means, and names that are alike: each study is its own."""

import optuna
import pytest

from study.storage.studies import read_studies, read_study
from study.storage.url import folder_name

STORAGE = "sqlite:///s.db"
SEARCH = ("search.py", "--dataset", "digits", "--epochs", 1, "--families", "constant", "--engine", "loop")
SEARCH += ("--confirm-seeds", 0, "--storage", STORAGE)


def copy(name):
    optuna.copy_study(from_study_name="first", from_storage=STORAGE, to_storage=STORAGE, to_study_name=name)


@pytest.fixture
def searched(command):
    """A study of two trials."""
    assert command(*SEARCH, "--study", "first", "--trials", 2).code == 0


@pytest.mark.parametrize("name", ["kept", "first-copy", "first (2)"])
def test_a_copied_study_and_its_original_both_continue(name, command, searched):
    """It was refused as the name of a benchmark (optuna#4639)."""
    copy(name)
    for study, trials in (("first", 3), (name, 4)):
        continued = command(*SEARCH, "--study", study, "--trials", trials)
        assert (continued.code, continued.err) == (0, "")
        record = read_study(STORAGE, study)
        assert (len(record.trials), record.group) == (trials, study)
    assert command("export.py", "--study", name, "--storage", STORAGE).code == 0


def test_a_renamed_study_leaves_its_name_free(command, searched):
    copy("renamed")
    optuna.delete_study(study_name="first", storage=STORAGE)
    assert [record.name for record in read_studies(STORAGE, "renamed")] == ["renamed"]
    unknown = command("export.py", "--study", "first", "--storage", STORAGE)
    assert (unknown.code, unknown.err) == (2, "error: unknown study 'first'. Valid: renamed\n")
    assert command(*SEARCH, "--study", "first", "--trials", 1).code == 0


def test_studies_whose_names_are_alike_have_reports_of_their_own(command, searched):
    names = ["a_b", "a b", "a/b", "a\\b"]
    folders = []
    for name in names:
        copy(name)
        written = command("report.py", "--study", name, "--storage", STORAGE)
        assert written.code == 0
        folders.append(written.out.splitlines()[0])
    assert len(set(folders)) == len(names)
    assert folders[0] == "results/a_b/report.md"


@pytest.mark.parametrize("name", ["..", ".", "/", "a/../b", ".hidden"])
def test_a_report_stays_in_results(name):
    assert "/" not in folder_name(name)
    assert not folder_name(name).startswith(".")
