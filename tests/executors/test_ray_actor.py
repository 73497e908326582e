"""What an actor compares before it trains; here without Ray."""

import os
import platform
import sys
from dataclasses import replace

import pytest

from search_spaces import InputError
from study.executors.ray_actor import Surroundings, TrainingActor, versions_here
from study.training.own_training import OwnTraining
from study.training.workload_objective import WorkloadObjective
from tests.ray_objectives import OnlyHere


class Here(TrainingActor):
    """Reads the objective from its reference as if Ray had."""

    def read(self, reference):
        return reference


@pytest.fixture
def owner(monkeypatch, tmp_path):
    """In an empty folder; what loading changes in this process is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    return Surroundings(versions_here(), str(tmp_path), sys.path, None, {})


def test_it_loads_in_the_folder_of_the_owner_and_imports_from_the_same_places(owner, workload, tmp_path):
    (tmp_path / "there").mkdir()
    actor = Here()
    other = replace(owner, folder=str(tmp_path / "there"), path=["/somewhere"])
    assert actor.load(other, [WorkloadObjective(workload)], "cpu") == platform.node()
    assert os.getcwd() == str(tmp_path / "there")
    assert sys.path[-1] == "/somewhere"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "", "Ray would leave all GPUs visible"
    assert actor.call(lambda objective: objective.steps(1)) == WorkloadObjective(workload).steps(1)


@pytest.mark.parametrize("name", ["Python", "torch", "numpy"])
def test_another_version_is_refused_before_anything_is_read(name, owner):
    others = replace(owner, versions={**owner.versions, name: "0.1"})
    said = f"{platform.node()} has {name} {versions_here()[name]}, but this process has 0.1: install the same there"
    with pytest.raises(InputError) as told:
        TrainingActor().load(others, ["never read"], "cpu")
    assert str(told.value) == said


def test_data_that_cannot_be_read_is_told_with_the_name_of_the_machine(owner, workload):
    with pytest.raises(InputError, match=rf"on {platform.node()}: an example cannot be read \(FileNotFoundError"):
        Here().load(owner, [OnlyHere(workload)], "cpu")


def test_another_script_or_none_is_refused(owner, script, tmp_path):
    objective = OwnTraining(script("print('as here')"), None, None)
    here = replace(owner, code=objective.code())
    assert [*here.code] == [str(tmp_path / "user_train.py")]
    Here().load(here, [objective], "cpu")
    for change in (lambda path: path.write_text("print('not as here')"), lambda path: path.unlink()):
        change(tmp_path / "user_train.py")
        with pytest.raises(InputError, match=r"user_train.py is missing, or not as here: copy it to"):
            Here().load(here, [objective], "cpu")


def test_another_module_of_the_users_is_refused(owner, workload, tmp_path):
    (tmp_path / "mine.py").write_text("size = 3")
    made_of = {**WorkloadObjective(workload).made_of, "modules": {"mine.py": "0123"}}
    with pytest.raises(InputError, match=r"mine.py is missing, or not as here: copy it to"):
        Here().load(replace(owner, made_of=made_of), [WorkloadObjective(workload)], "cpu")
