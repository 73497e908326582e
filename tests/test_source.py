"""Where an objective is: its data stays here if other processes train it, wherever their devices are."""

import pytest
import torch

from search_spaces import InputError
from study.executors.options import ExecutorOptions
from study.source import make_objective
from study.workloads.options import WorkloadOptions

DIGITS = WorkloadOptions("digits")


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("device", "gpus", "trained_on"),
    [("auto", None, "cpu"), ("auto", 0.5, "cuda"), ("cuda", None, "cuda"), ("cuda", 2, "cuda"), ("cpu", 0, "cpu")],
)
def test_actors_may_have_gpus_that_this_machine_does_not_have(device, gpus, trained_on, data_root):
    options = ExecutorOptions(executor="ray", workers=2, gpus_per_run=gpus)
    objective = make_objective(DIGITS, device, data_root, options)
    assert objective.device.type == trained_on
    assert objective.workload.device.type == "cpu"
    assert objective.at(torch.device("cpu")).device.type == "cpu"
    assert objective.elsewhere() == objective


def test_processes_have_those_of_this_machine(data_root):
    with pytest.raises(InputError, match="--device cuda needs a GPU that torch sees"):
        make_objective(DIGITS, "cuda", data_root, ExecutorOptions(executor="processes"))


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 1.0), ("cuda", 0.0)])
def test_flags_that_name_two_devices_are_refused(device, gpus, data_root):
    options = ExecutorOptions(executor="ray", workers=2, gpus_per_run=gpus)
    with pytest.raises(InputError, match=f"--gpus-per-run must fit --device {device}, but {gpus} was given"):
        make_objective(DIGITS, device, data_root, options)
