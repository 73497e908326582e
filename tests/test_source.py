"""Where an objective is: its data stays here if other processes train it, wherever their devices are."""

import socket
from dataclasses import asdict, replace

import pytest
import torch

from search_spaces import InputError
from study.executors.options import ExecutorOptions
from study.source import chosen_source, executor_again, make_objective, stored_objective
from study.training.training_options import TrainingOptions
from study.workloads.options import WorkloadOptions
from tests.helpers import DIGITS, open_small


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


def test_an_objective_of_a_stored_configuration_does_not_make_its_code_typed(data_root, monkeypatch):
    stored = WorkloadOptions(dataset="digits", optimizer="torch.optim.sgd:SGD")
    code, noted = {"optimizer": stored.optimizer}, []
    monkeypatch.setattr("study.source.note_typed", noted.append)
    make_objective(stored, "cpu", data_root)
    assert noted == []
    assert chosen_source(stored, TrainingOptions(), ExecutorOptions()) is stored
    assert noted == [code]


@pytest.fixture
def of_a_cluster(workload):
    """A study that was made on a head without a GPU, and the socket that answers at the address of its cluster."""
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        asked = ExecutorOptions(executor="ray", workers=3, gpus_per_run=0.5, ray_address=address)
        with open_small(None, workload) as study:
            record = study.record
        stored = {**record.stored, "engine": {**record.stored["engine"], "asked": asdict(asked)}}
        settings, engine = replace(record.settings, device="cuda"), replace(record.engine, workers=3)
        yield replace(record, settings=settings, engine=engine, stored=stored), head, asked


def test_a_study_of_a_cluster_is_trained_again_from_a_head_without_a_gpu(of_a_cluster, data_root):
    record, _, asked = of_a_cluster
    with pytest.raises(InputError, match=f"add --trust. It names\n  --ray-address '{asked.ray_address}'"):
        stored_objective(record, data_root, {})
    objective = stored_objective(record, data_root, {}, trust=True)
    assert (objective.device.type, objective.workload.device.type) == ("cuda", "cpu")
    assert executor_again(record) == asked


def test_if_the_cluster_is_gone_ray_is_started_here(of_a_cluster):
    record, head, asked = of_a_cluster
    head.close()
    assert executor_again(record) == replace(asked, ray_address=None)


def test_without_ray_processes_train_what_actors_without_gpus_did(of_a_cluster, monkeypatch):
    record, _, asked = of_a_cluster
    monkeypatch.setattr("study.source.find_spec", lambda name: None)
    assert executor_again(record) == asked, "its message says what to install"
    on_cpus = replace(record, settings=replace(record.settings, device="cpu"))
    assert executor_again(on_cpus) == ExecutorOptions(executor="processes")
