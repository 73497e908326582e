"""Sampling uses one thread, and training as many as before."""

from dataclasses import replace

import optuna
import pytest
import torch

from study.executors.in_process import InProcess
from study.machine import torch_threads
from tests.helpers import SMALL, run_search


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


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
