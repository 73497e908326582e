"""What a study is made of: the files and the model that decide its results are noticed when they change."""

import importlib
import sys
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
    assert changed(stored, made_by(digits, lambda: small(bias=-5.0))) == ["the model (its first parameters)"]


def test_another_activation_with_the_same_parameters_is_noticed(digits):
    stored = made_of(made_by(digits, small))
    assert changed(stored, made_by(digits, lambda: small(nn.Tanh))) == ["the model (its outputs)"]


def test_rounding_is_no_change(digits):
    stored = made_of(made_by(digits, small))
    rounded = {**stored, "outputs": [value * (1 + 2e-4) for value in stored["outputs"]]}
    assert changed(rounded, made_by(digits, small)) == []
    other = {**stored, "outputs": [value * 1.1 for value in stored["outputs"]]}
    assert changed(other, made_by(digits, small)) == ["the model (its outputs)"]


def test_another_torch_may_draw_other_parameters(digits):
    stored = {**made_of(made_by(digits, small)), "torch": "1.0"}
    assert changed(stored, made_by(digits, lambda: small(bias=-5.0))) == []
    assert changed(stored, made_by(digits, lambda: small(nn.Tanh))) == ["the model (its outputs)"]


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
    assert list(stored["modules"]) == ["net_of_test", "net_of_test.entry", "net_of_test.parts"]
    assert changed(stored, digits) == []
    (tmp_path / "net_of_test" / "parts.py").write_text("WIDTH = 9\n")
    assert changed(stored, digits) == ["the file net_of_test/parts.py"]
    for name in stored["modules"]:  # in a process that has not loaded them yet
        monkeypatch.delitem(sys.modules, name)
    assert changed(stored, digits) == ["the file net_of_test/parts.py"]
    (tmp_path / "net_of_test" / "parts.py").unlink()
    importlib.invalidate_caches()
    assert changed(stored, digits) == ["the file net_of_test/parts.py"]
