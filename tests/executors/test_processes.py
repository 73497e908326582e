"""Worker processes: the same results as one process, cards of their own, and what happens if one is killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from search_spaces import InputError
from study.executors.processes import Processes, startable
from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from tests.helpers import ENDLESS, ROOT, alive, by_run, process_of, runs_of, trainer, wait_until


@contextmanager
def processes(workload, cohort, number):
    with Processes(WorkloadObjective(workload), number) as workers:
        yield SideBySide(WorkloadObjective(workload), cohort, workers)


@pytest.fixture(scope="module")
def executor(workload):
    """Two processes that train two runs at a time."""
    with processes(workload, 2, 2) as executor:
        yield executor


def assert_as_one_process(executor, cohort, workload):
    """To the last bit, and in the same order: this process has one thread, too."""
    runs = runs_of(0.1, 0.2, 0.3, 0.4, 1e9)
    expected = list(trainer(workload, cohort).train(runs))
    assert list(executor.train(runs)) == expected
    first = runs[:cohort]
    assert list(executor.train(first)) == list(trainer(workload, cohort).train(first)), "they can be used again"


def test_workers_give_what_one_process_of_one_thread_gives(executor, workload):
    assert_as_one_process(executor, 2, workload)


@pytest.mark.slow
@pytest.mark.parametrize(("cohort", "number"), [(1, 2), (2, 1)])
def test_so_do_any_number_of_workers_with_any_cohort(cohort, number, workload):
    with processes(workload, cohort, number) as executor:
        assert_as_one_process(executor, cohort, workload)


def test_workers_stop_when_asked_and_can_be_used_again(executor, workload):
    began = time.monotonic()
    assert list(executor.train([ENDLESS] * 3, lambda run: time.monotonic() > began + 1)) == []
    runs = runs_of(0.1, 0.2, epochs=1)
    assert by_run(executor.train(runs)) == by_run(trainer(workload, 2).train(runs))


class OnCards(WorkloadObjective):
    """Trains on CUDA, as it says; in a worker it stays on the CPU, since there may be no card."""

    def at(self, device):
        assert device.type == "cuda"
        return WorkloadObjective(self.workload)


def first_environment(objective):
    """The cards that this process could see when it started, before it imported anything."""
    started = dict(line.split("=", 1) for line in Path("/proc/self/environ").read_text().split("\0") if "=" in line)
    return started.get("CUDA_VISIBLE_DEVICES"), os.environ.get("CUDA_VISIBLE_DEVICES")


def test_each_process_has_a_card_of_its_own_from_its_start(workload, monkeypatch):
    """Three processes on two cards; the results do not depend on it."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,GPU-7")
    objective = OnCards(workload, trained_on=torch.device("cuda"))
    with Processes(objective, 3) as workers:
        seen = workers.everywhere(first_environment)
        assert sorted(seen) == [("5", "5"), ("5", "5"), ("GPU-7", "GPU-7")]
        runs = runs_of(0.1, 0.2, 0.3, epochs=1)
        found = list(SideBySide(objective, 2, workers).train(runs))
        assert found == list(trainer(workload, 2).train(runs))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5,GPU-7"


KILLED = """
from pathlib import Path
from study.executors.options import ExecutorOptions
from study.executors.processes import Processes, startable
from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from study.workloads.options import WorkloadOptions
from tests.helpers import ENDLESS, process_of

if __name__ == "__main__":
    objective = WorkloadObjective(WorkloadOptions("digits").load(Path(".")))
    with Processes(objective, 1) as workers:
        print(workers.call(process_of), flush=True)
        list(SideBySide(objective, 1, workers).train([ENDLESS]))
"""


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment) as process:
        worker = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not alive(worker), 30, "the worker outlived its parent")


def test_a_worker_killed_from_outside_is_told(workload):
    with Processes(WorkloadObjective(workload), 1) as workers:
        worker = workers.call(process_of)
        evaluations = SideBySide(WorkloadObjective(workload), 1, workers).train([ENDLESS])
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


def no_file(objective):
    raise FileNotFoundError(2, "No such file or directory", "data.bin")


def test_an_error_of_what_a_worker_is_to_do_is_not_one_of_starting_it(executor):
    with pytest.raises(FileNotFoundError, match="data.bin"):
        executor.workers.call(no_file)
    with pytest.raises(FileNotFoundError, match="data.bin"):
        executor.workers.everywhere(no_file)
