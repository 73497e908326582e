"""Sampling uses one thread, and training as many as before; a GPU makes torch deterministic only while it trains."""

from dataclasses import replace
from functools import partial

import optuna
import pytest
import torch

from search_spaces import Cosine
from study.executors.in_process import InProcess
from study.machine import choose_device, same_bits_every_time, torch_threads
from study.objective import Run
from study.training.plain import Plain
from tests.helpers import SMALL, run_search, trainer

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_the_threads_are_given_back_also_after_an_error(two_threads):
    seen = []

    def fail():
        with torch_threads(1):
            seen.append(torch.get_num_threads())
            raise ValueError("of the sampler")

    with pytest.raises(ValueError, match="of the sampler"):
        fail()
    assert seen == [1]
    assert torch.get_num_threads() == 2


def test_a_search_samples_with_one_and_trains_with_all(two_threads, storage, workload, monkeypatch):
    seen = {"sampling": set(), "training": set()}
    draw, train = optuna.samplers.RandomSampler.sample_independent, InProcess.train

    def noted_draw(*arguments):
        seen["sampling"].add(torch.get_num_threads())
        return draw(*arguments)

    def noted_train(*arguments):
        seen["training"].add(torch.get_num_threads())
        return train(*arguments)

    monkeypatch.setattr(optuna.samplers.RandomSampler, "sample_independent", noted_draw)
    monkeypatch.setattr(InProcess, "train", noted_train)
    run_search(storage, workload, 5, replace(SMALL, sampler="random"))
    assert seen == {"sampling": {1}, "training": {2}}


@pytest.fixture
def determinism(monkeypatch):
    """Of torch: (are algorithms deterministic, do others only warn); restored afterwards. Attention goes along."""

    def now():
        warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.backends.cuda.mem_efficient_sdp_enabled() != warn_only, "its gradient would be another every time"
        return torch.are_deterministic_algorithms_enabled(), warn_only

    before = now()
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # which is set for good otherwise
    yield now
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def test_choosing_a_gpu_changes_nothing_for_the_rest_of_the_process(determinism, monkeypatch):
    """A notebook goes on with operations that have no deterministic algorithm."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert choose_device("auto") == CUDA
    assert determinism() == (False, False)


@pytest.mark.parametrize("error", [None, ValueError])
def test_training_on_a_gpu_is_deterministic_and_then_as_before(determinism, error):
    def train(device):
        with same_bits_every_time(device):
            seen.append(determinism())
            if error:
                raise error

    seen = []
    for device in (CUDA, CPU):
        if error:
            with pytest.raises(error):
                train(device)
        else:
            train(device)
        assert determinism() == (False, False)
    assert seen == [(True, True), (False, False)]


def test_a_caller_s_strict_determinism_stays(determinism):
    torch.use_deterministic_algorithms(True)
    with same_bits_every_time(CUDA):
        assert determinism() == (True, False)
    assert determinism() == (True, False)


def test_every_step_of_an_objective_is_made_in_that_context(workload, determinism, monkeypatch):
    """Also of runs that nobody trains to their end."""
    seen = []
    update = Plain.update

    def noted(*arguments):
        seen.append(determinism())
        return update(*arguments)

    monkeypatch.setattr(Plain, "update", noted)
    on_a_gpu = partial(same_bits_every_time, CUDA)
    monkeypatch.setattr("study.training.workload_objective.same_bits_every_time", lambda device: on_a_gpu())
    runs = [Run(Cosine(peak_lr=0.1), 1, 0, evaluations=2)]
    list(trainer(workload).train(runs))
    training = trainer(workload).train(runs)
    next(training)
    training.close()
    assert set(seen) == {(True, True)}
    assert determinism() == (False, False)
