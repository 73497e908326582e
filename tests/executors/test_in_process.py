"""Which runs train together, and what happens if memory runs out."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search_spaces import InputError
from study.executors.cohort_queue import cohorts, divide
from study.machine import out_of_memory
from study.training.workload_objective import WorkloadObjective
from tests.helpers import Crowded, runs_of, trainer


@given(st.integers(0, 60), st.integers(1, 20))
def test_cohorts_are_few_even_and_whole(count, most):
    parts = divide(range(count), most)
    assert [index for part in parts for index in part] == list(range(count))
    assert len(parts) == math.ceil(count / most)
    assert not parts or max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(1 <= len(part) <= most for part in parts)


def test_runs_of_other_lengths_train_apart(workload):
    runs = [*runs_of(0.1, 0.2), *runs_of(0.1, 0.2, 0.3, epochs=1)]
    assert cohorts(runs, 4, WorkloadObjective(workload)) == [[0, 1], [2, 3, 4]]
    found = list(trainer(workload, 4).train(runs))
    assert {e.run: e.total_steps for e in found} == {0: 32, 1: 32, 2: 16, 3: 16, 4: 16}


def test_seeds_train_apart_only_where_the_model_draws_random_numbers(workload):
    runs = runs_of(0.1, 0.1, 0.1, 0.1, seeds=(0, 1))
    assert cohorts(runs, 4, WorkloadObjective(workload)) == [[0, 1, 2, 3]]
    dropout = replace(workload, make_model=lambda: nn.Sequential(workload.make_model(), nn.Dropout(0.5)))
    assert cohorts(runs, 4, WorkloadObjective(dropout)) == [[0, 2], [1, 3]]
    together = [e.loss for e in trainer(dropout, 4).train(runs) if e.last]
    alone = [e.loss for e in trainer(dropout).train(runs) if e.last]
    assert sorted(together) == pytest.approx(sorted(alone), rel=1e-5)


@pytest.mark.parametrize("fails_after", [0, 20])
def test_a_cohort_that_does_not_fit_goes_on_in_halves(fails_after, workload, monkeypatch):
    """Nothing is lost or told twice, the records say it, and the executor does not try so many again."""
    runs = runs_of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    expected = {(e.run, e.step): e.loss for e in trainer(workload).train(runs)}
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    monkeypatch.setattr(Crowded, "fails_after", fails_after)
    executor = trainer(workload, 7)
    found = list(executor.train(runs))
    assert len(found) == len(expected)
    assert {(e.run, e.step): e.loss for e in found} == pytest.approx(expected, rel=1e-4)
    last = [e for e in found if e.last]
    assert {e.cohort for e in last} <= {1, 2, 3}
    assert all(e.too_large[0] == 7 for e in last)
    assert executor.cohort <= 3
    assert all(e.too_large == () for e in executor.train(runs)), "later runs start with what fits"


def test_no_cohort_is_larger_than_what_was_found_to_fit(workload, monkeypatch):
    """Those that still wait are divided anew."""
    tried = []

    class Noted(Crowded):
        def update(self, x, y):
            if not self.stacked.steps:
                tried.append(len(self.optimizers))
            return super().update(x, y)

    monkeypatch.setattr("study.training.workload_objective.Lockstep", Noted)
    executor = trainer(workload, 6)
    found = list(executor.train(runs_of(*[0.1] * 18, epochs=1)))
    assert tried == [6, 3, 3, 3, 3, 3, 3]
    assert executor.cohort == 3
    assert {e.too_large for e in found if e.run < 6} == {(6,)}
    assert {e.too_large for e in found if e.run >= 6} == {()}


def test_memory_of_cudas_libraries_runs_out_too():
    message = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    assert out_of_memory(RuntimeError(message))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_one_run_that_does_not_fit_is_told(workload, monkeypatch):
    def full(self, x, y):
        raise torch.OutOfMemoryError("CUDA out of memory (of this test)")

    monkeypatch.setattr("study.training.plain.Plain.update", full)
    with pytest.raises(InputError, match="one run does not fit into the GPU's memory: use a smaller --batch-size"):
        list(trainer(workload).train(runs_of(0.1)))
