"""What a study is made of: the files and the model that decide its results are noticed when they change."""

import importlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest
import torch
from torch import nn

from study.workloads.datasets import made_data
from study.workloads.made_of import changes, made_of, modules_here
from study.workloads.options import WorkloadOptions
from study.workloads.workload import Workload
from tests.own_data import Items


def now_of(workload):
    return lambda: made_of(workload)


def changed(stored, workload):
    return changes(stored, made_of(workload), now_of(workload))


@pytest.fixture
def digits(data_root):
    return WorkloadOptions("digits").load(data_root)


def made_by(digits, make_model):
    return replace(digits, make_model=make_model)


def small(activation=nn.ReLU, bias=None):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), activation(), nn.Linear(8, 10))
    if bias is not None:
        nn.init.constant_(model[1].bias, bias)
    return model


def test_an_equal_model_has_not_changed(digits):
    assert changed(made_of(digits), digits) == []
    assert changed(None, digits) == [], "studies made before have no record"


def test_a_checkpoint_that_was_replaced_is_noticed(digits):
    stored = made_of(made_by(digits, small))
    assert changed(stored, made_by(digits, lambda: small(bias=-5.0))) == ["the model's first parameters"]


def test_another_activation_with_the_same_parameters_is_noticed(digits):
    stored = made_of(made_by(digits, small))
    assert changed(stored, made_by(digits, lambda: small(nn.Tanh))) == ["the model's outputs"]


def test_rounding_is_no_change(digits):
    stored = made_of(made_by(digits, small))
    rounded = {**stored, "outputs": [value * (1 + 2e-4) for value in stored["outputs"]]}
    assert changed(rounded, made_by(digits, small)) == []
    other = {**stored, "outputs": [value * 1.1 for value in stored["outputs"]]}
    assert changed(other, made_by(digits, small)) == ["the model's outputs"]


@pytest.mark.parametrize("what", ["platform", "processor", "vectors", "threads", "torch", "device"])
def test_another_machine_may_draw_other_parameters(what, digits):
    stored = made_of(made_by(digits, small))
    stored["machine"] = {**stored["machine"], what: "another"}
    assert changed(stored, made_by(digits, lambda: small(bias=-5.0))) == []
    wider = made_by(digits, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.ReLU(), nn.Linear(9, 10)))
    assert changed(stored, wider) == ["the model's parameter names or shapes"]


RECORD = """
import json, sys
from dataclasses import replace
from pathlib import Path
import torch
from torch import nn
from study.workloads.made_of import changes, made_of
from study.workloads.options import WorkloadOptions

def model():
    made = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Linear(64, 10))
    nn.init.orthogonal_(made[1].weight)
    nn.init.normal_(made[2].weight)
    return made

torch.set_num_threads(int(sys.argv[2]))
workload = replace(WorkloadOptions("digits").load(Path(sys.argv[1])), make_model=model)
now, stored = made_of(workload), json.loads(sys.argv[3])
print(json.dumps([now, changes(stored, now, lambda: made_of(workload))]))
"""


def record(data_root, threads, stored, **environment):
    """(the record, what has changed) in a process with this number of threads and these variables."""
    call = [sys.executable, "-c", RECORD, str(data_root), str(threads), json.dumps(stored)]
    done = subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return json.loads(done.stdout)


def test_other_draws_of_another_type_of_cpu_are_no_change(data_root):
    here, _ = record(data_root, 1, None)
    there, changes_there = record(data_root, 2, here, ATEN_CPU_CAPABILITY="default")
    assert here["parameters"] != there["parameters"], "or the test shows nothing"
    assert changes_there == []


def test_a_record_made_before_there_were_shapes_is_accepted(digits):
    stored = {"modules": {}, "torch": torch.__version__, "parameters": "0" * 64, "outputs": [0.0]}
    assert changed(stored, digits) == []


def test_a_model_that_is_never_the_same_twice_has_not_changed(digits):
    generator = torch.Generator()

    def unseeded():
        model = small()
        nn.init.normal_(model[1].weight, generator=generator)
        return model

    assert changed(made_of(made_by(digits, unseeded)), made_by(digits, unseeded)) == []


@pytest.mark.parametrize(
    "make_model",
    [
        lambda: 1 / 0,
        lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)),
        lambda: small().double(),
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.LSTM(10, 10)),
    ],
    ids=["fails", "lazy", "another precision", "tuple"],
)
def test_any_model_has_a_record_that_equals_itself(make_model, digits):
    workload = made_by(digits, make_model)
    assert changed(made_of(workload), workload) == []


def test_the_random_state_is_the_same_afterwards(digits):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    made_of(digits)
    assert torch.equal(torch.get_rng_state(), state)


def test_one_row_is_read_in_this_process():
    """Starting workers takes a tenth of a second; what they read is not seen here."""
    seen = []

    def item(row):
        seen.append(row)
        return torch.arange(3.0) + row, row % 2

    workload = Workload("w", made_data("mine", Items(item), None, 0), lambda: nn.Linear(3, 2))
    seen.clear()
    outputs = made_of(workload)["outputs"]
    assert len(seen) == 1
    assert made_of(workload)["outputs"] == outputs
    assert len(outputs) == 2


def test_modules_of_the_working_directory_are_noticed_and_no_others(tmp_path, monkeypatch, digits):
    (tmp_path / "net_of_test").mkdir()
    for name, text in {
        "__init__": "",
        "parts": "WIDTH = 8\n",
        "entry": "from net_of_test.parts import WIDTH\n",
    }.items():
        (tmp_path / "net_of_test" / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert modules_here() == {}
    importlib.import_module("net_of_test.entry")
    stored = made_of(digits)
    assert list(stored["modules"]) == [f"net_of_test/{name}.py" for name in ("__init__", "entry", "parts")]
    assert changed(stored, digits) == []
    (tmp_path / "net_of_test" / "parts.py").write_text("WIDTH = 9\n")
    assert changed(stored, digits) == ["net_of_test/parts.py"]
    for name in ("net_of_test", "net_of_test.entry", "net_of_test.parts"):  # in a process that has not loaded them yet
        monkeypatch.delitem(sys.modules, name)
    assert changed(stored, digits) == ["net_of_test/parts.py"]
    (tmp_path / "net_of_test" / "parts.py").unlink()
    assert changed(stored, digits) == ["net_of_test/parts.py"]


@pytest.mark.parametrize("text", ["raise RuntimeError", "raise SystemExit", "def ("], ids=["error", "exit", "syntax"])
def test_a_package_that_cannot_be_imported_any_more_has_changed(text, tmp_path, monkeypatch, digits):
    (tmp_path / "broken_of_test").mkdir()
    for name in ("__init__", "parts"):
        (tmp_path / "broken_of_test" / f"{name}.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("broken_of_test.parts")
    stored = made_of(digits)
    for name in ("broken_of_test.parts", "broken_of_test"):
        del sys.modules[name]
    (tmp_path / "broken_of_test" / "__init__.py").write_text(text)
    assert changed(stored, digits) == ["broken_of_test/__init__.py"]
    assert not any(name.startswith("broken_of_test") for name in sys.modules), "nothing is imported"


def test_a_study_is_opened_from_another_directory(tmp_path, monkeypatch, digits):
    (tmp_path / "moved_of_test.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("moved_of_test")
    stored = made_of(digits)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert changed(stored, digits) == []
    (tmp_path / "moved_of_test.py").write_text("changed = True\n")
    assert changed(stored, digits) == ["moved_of_test.py"]


def test_a_module_whose_file_cannot_be_read_is_not_recorded(tmp_path, monkeypatch):
    """It was deleted since, or lies in an archive."""
    (tmp_path / "gone_of_test.py").write_text("")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_of_test.py", "")
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "packed.zip"):
        monkeypatch.syspath_prepend(folder)
    for name in ("gone_of_test", "packed_of_test"):
        importlib.import_module(name)
    (tmp_path / "gone_of_test.py").unlink()
    assert modules_here() == {}
