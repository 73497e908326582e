"""The archive: reading it returns what was written, and writing it again gives the same bytes."""

import json
from dataclasses import replace

import optuna
import pytest

from search_spaces import InputError
from study.reports.report import rebuild, write_report
from study.storage.archive import CURVES, MANIFEST, TRIALS, read_archive, write_archive
from study.storage.record_format import FORMAT
from study.storage.study_record import StudyRecord
from tests.helpers import ROOT, SMALL, run_search

NAME = "mine <b>&_$*|"


@pytest.fixture(scope="module")
def study(tmp_path_factory, workload):
    storage = f"sqlite:///{tmp_path_factory.mktemp('archive')}/studies.db"
    run_search(storage, workload, 15, replace(SMALL, audit=0.5), NAME)
    return StudyRecord.of(optuna.load_study(study_name=NAME, storage=storage))


def test_it_gives_the_study_back(study, tmp_path):
    """All but when trials ended, and the curves of those that did not run to their end."""
    write_archive([study], tmp_path)
    (again,) = read_archive(tmp_path)
    kept = tuple(replace(trial, ended=None, curve=trial.curve if trial.complete else None) for trial in study.trials)
    assert again == replace(study, trials=kept)
    assert any(trial.curve for trial in kept)
    assert not all(trial.curve for trial in kept)


def test_the_archive_of_no_study_is_an_archive(tmp_path):
    write_archive([], tmp_path)
    assert read_archive(tmp_path) == []


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in (ROOT / "results").glob(f"*/{TRIALS}")))
def test_a_committed_one_is_written_again_to_the_byte(folder, tmp_path):
    committed = ROOT / "results" / folder
    write_archive(read_archive(committed), tmp_path)
    for name in (TRIALS, CURVES, MANIFEST):
        assert (tmp_path / name).read_bytes() == (committed / name).read_bytes(), name


def test_a_curve_whose_metric_is_the_loss_has_one_column_for_both(study, tmp_path):
    curve = replace(study.best.curve, metric="loss", losses=study.best.curve.values)
    assert list(curve.columns) == ["step", "val_loss", "lr", "momentum"]
    write_archive([replace(study, trials=(replace(study.best, curve=curve),))], tmp_path)
    assert read_archive(tmp_path)[0].trials[0].curve == curve


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda kept: kept["attributes"].pop("metric"), "cannot be read .'metric' is missing."),
        (lambda kept: kept.pop("name"), "cannot be read .'name' is missing."),
        (lambda kept: kept.update(name="other"), "cannot be read .'mine <b>&_.*' is missing."),
        (lambda kept: kept["attributes"].update(format=2), f"cannot be read .record format 2, not {FORMAT}."),
    ],
)
def test_what_is_damaged_is_refused_naming_the_folder(damage, said, study, tmp_path):
    write_archive([study], tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    damage(manifest[0])
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=f"the report in {tmp_path} {said}: write the report again from its study"):
        read_archive(tmp_path)


@pytest.mark.parametrize("manifest", ["[]", "3", "{}", "[3]", "[[]]", "{", "[" * 100_000])
def test_a_manifest_that_is_another_is_refused(manifest, study, tmp_path):
    write_archive([study], tmp_path)
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(InputError, match="write the report again from its study"):
        rebuild(tmp_path)


@pytest.mark.parametrize("name", ["a\rb", "a\r\nb", "a,\nb", 'a"\rb', "x\n```\n\n![a](b)\n\n```", ".."])
def test_any_name_comes_back(name, study, tmp_path):
    write_report([replace(study, name=name, group=name)], tmp_path)
    assert [one.name for one in read_archive(tmp_path)] == [name]
    assert 'src="b"' not in (tmp_path / "report.html").read_text()
