"""Which runs train together, what happens if memory runs out, and real worker processes."""

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search_spaces import Constant, Cosine, InputError
from study.executors.in_process import cohorts, divide
from study.executors.options import ExecutorOptions
from study.executors.processes import Processes, startable
from study.machine import out_of_memory
from study.objective import Run
from study.training.workload_objective import WorkloadObjective
from tests.helpers import ROOT, Crowded, process_of, trainer


@given(st.integers(0, 60), st.integers(1, 20))
def test_cohorts_are_few_even_and_whole(count, most):
    parts = divide(range(count), most)
    assert [index for part in parts for index in part] == list(range(count))
    assert len(parts) == math.ceil(count / most)
    assert not parts or max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(1 <= len(part) <= most for part in parts)


def runs_of(*peaks, epochs=2, seeds=(0,)):
    return [Run(Cosine(peak_lr=peak), epochs, seeds[i % len(seeds)], evaluations=2) for i, peak in enumerate(peaks)]


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


def by_run(evaluations):
    return sorted(evaluations, key=lambda evaluation: (evaluation.run, evaluation.step))


@pytest.fixture(scope="module")
def workers(workload):
    """Two processes that train two runs at a time."""
    with Processes(WorkloadObjective(workload), 2, 2) as workers:
        yield workers


def assert_as_one_process(workers, cohort, workload):
    """To the last bit: this process has one thread, too."""
    runs = runs_of(0.1, 0.2, 0.3, 0.4, 1e9)
    expected = by_run(trainer(workload, cohort).train(runs))
    assert by_run(workers.train(runs)) == expected
    assert by_run(workers.train(runs[:2])) == [e for e in expected if e.run < 2], "they can be used again"


def test_workers_give_what_one_process_of_one_thread_gives(workers, workload):
    assert_as_one_process(workers, 2, workload)


@pytest.mark.slow
@pytest.mark.parametrize(("cohort", "number"), [(1, 1), (1, 2), (2, 1)])
def test_so_do_any_number_of_workers_with_any_cohort(cohort, number, workload):
    with Processes(WorkloadObjective(workload), cohort, number) as workers:
        assert_as_one_process(workers, cohort, workload)


def test_workers_stop_when_asked(workers):
    began = time.monotonic()
    endless = [Run(Constant(peak_lr=0.1), 10**6, 0, evaluations=1)] * 3
    assert list(workers.train(endless, lambda run: time.monotonic() > began + 1)) == []


KILLED = """
from pathlib import Path
from search_spaces import Constant
from study.executors.options import ExecutorOptions
from study.executors.processes import Processes, startable
from study.objective import Run
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions
from tests.helpers import process_of

if __name__ == "__main__":
    workload = WorkloadOptions("digits").load(Path("."))
    with Processes(WorkloadObjective(workload), 1, 1) as workers:
        (worker,) = workers.everywhere(process_of)
        print(worker, flush=True)
        for _ in workers.train([Run(Constant(peak_lr=0.1), 10**6, 0, evaluations=1)]):
            pass
"""


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as process:
        worker = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while alive(worker):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)


def alive(process):
    """Whether a process of this number runs; one that has ended but was not collected does not."""
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_killed_from_outside_is_told(workload):
    with Processes(WorkloadObjective(workload), 1, 1) as workers:
        (worker,) = workers.everywhere(process_of)
        evaluations = workers.train([Run(Constant(peak_lr=0.1), 10**6, 0, evaluations=1)])
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(
            InputError, match="a worker process was killed or could not start: repeat the command to resume"
        ):
            list(evaluations)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError(
                "unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)",
            ),
            "/dev/shm, which holds the data they share, is too small",
        ),
        (
            RuntimeError("unable to open shared memory object </torch_1> in read-write mode: Too many open files (24)"),
            "Too many open files .24.",
        ),
        (OSError(24, "Too many open files"), "Too many open files"),
    ],
)
def test_workers_that_the_system_refuses(error, said):
    with pytest.raises(InputError, match=f"cannot be started .*{said}.*: give --executor in-process"), startable():
        raise error
    with pytest.raises(RuntimeError, match="of torch"), startable():
        raise RuntimeError("another error of torch")


def test_there_are_not_more_workers_than_the_cores_can_use():
    with pytest.raises(InputError, match="--workers must be at most [0-9]+ here, but 100000 was given"):
        ExecutorOptions(workers=100_000)
