"""Ray actors: the same results as one process, whatever their number, and whatever happens to them."""

import os
import re
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import torch

from search_spaces import InputError
from study.cli import interruption
from study.executors import ray_actors
from study.executors.options import ExecutorOptions
from study.executors.side_by_side import SideBySide
from study.training.workload_objective import WorkloadObjective
from tests.helpers import ENDLESS, alive, process_of, runs_of, trainer, wait_until
from tests.ray_objectives import Deadly, Waits

pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")


@pytest.fixture(scope="module", autouse=True)
def ray():
    """One Ray for all tests of this file: it takes seconds to start."""
    from study.executors.ray_cluster import ray_running

    with ray_running(ExecutorOptions(executor="ray", workers=8)):
        yield


@contextmanager
def actors(objective, number):
    with ray_actors.RayActors(objective, number, ExecutorOptions(executor="ray", workers=number)) as pool:
        yield pool


@pytest.fixture(scope="module")
def pool(ray, workload):
    """Two actors."""
    with actors(WorkloadObjective(workload), 2) as pool:
        yield pool


def equal_to_one_process(objective, pool, cohort=2):
    """To the last bit, in the same order: this process has one thread, too."""
    runs = runs_of(0.1, 0.2, 0.3, 0.4, 1e9)
    expected = list(trainer(objective.workload, cohort).train(runs))
    return list(SideBySide(objective, cohort, pool).train(runs)) == expected


def test_actors_give_what_one_process_of_one_thread_gives(pool, workload):
    assert equal_to_one_process(WorkloadObjective(workload), pool)


def test_actors_stop_when_asked_and_train_on(pool, workload):
    objective, began = WorkloadObjective(workload), time.monotonic()
    assert list(SideBySide(objective, 1, pool).train([ENDLESS] * 4, lambda run: time.monotonic() > began + 1)) == []
    assert equal_to_one_process(objective, pool), "nothing of what was given up is among the results"
    assert time.monotonic() < began + 60


@pytest.mark.slow
def test_so_do_one_actor_and_three(workload):
    objective = WorkloadObjective(workload)
    with actors(objective, 3) as pool:
        assert equal_to_one_process(objective, pool, 1), "whoever of them has begun"
        wait_until(lambda: pool.look(0.1) or all(slot.loaded for slot in pool.slots))
        assert equal_to_one_process(objective, pool, 1)
        processes = pool.processes()
    wait_until(lambda: not any(map(alive, processes)), why="an actor outlived the study")


@pytest.mark.slow
def test_actors_may_be_lost_in_every_state(workload, tmp_path):
    """One while it loads, one while it trains, one while it returns: what they held is trained by others."""
    objective, states = Waits(workload, folder=tmp_path), ["loading", "training", "returning"]

    def kill():
        for file in (tmp_path / state for state in states):
            wait_until(lambda file=file: file.exists() and file.read_text())
            os.kill(int(file.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with actors(objective, 2) as pool:
        assert equal_to_one_process(objective, pool)
    killer.join()
    assert len({(tmp_path / state).read_text() for state in states}) == 3


@pytest.mark.slow
def test_a_cohort_that_is_lost_again_and_again_is_recorded_as_failed(workload, monkeypatch):
    assert ray_actors.ATTEMPTS == 3
    monkeypatch.setattr(ray_actors, "ATTEMPTS", 2)  # each takes seconds
    objective, runs = Deadly(workload), runs_of(0.1, 2.0, 0.3, epochs=1)
    with actors(objective, 1) as pool:
        found = list(SideBySide(objective, 1, pool).train(runs))
    assert [evaluation for evaluation in found if evaluation.run != 1] == [
        evaluation for evaluation in trainer(workload).train(runs) if evaluation.run != 1
    ]
    (failed,) = (evaluation for evaluation in found if evaluation.run == 1)
    reason = "its Ray actor was lost 2 times, the last time because its process was killed, perhaps because memory ran"
    assert failed.failure.startswith(reason)
    assert (failed.diverged, failed.metric) == (True, 1.0)


def test_what_cannot_be_pickled_is_named(workload):
    locked = replace(workload, make_model=partial(workload.make_model, threading.Lock()))
    said = r"digits-mlp-sgd cannot be sent to other processes: workload.make_model \(cannot pickle '_thread.lock'"
    with pytest.raises(InputError, match=said), actors(WorkloadObjective(locked), 1):
        pass


def test_functions_of_a_notebook_can_be_sent(pool, workload):
    """Unlike to worker processes: they go by value."""
    assert pool.call(lambda objective: objective.steps(1)) == WorkloadObjective(workload).steps(1)
    assert pool.call(process_of) in pool.processes()
    with pytest.raises(ZeroDivisionError):
        pool.call(lambda objective: 1 / 0)


def test_gpus_that_no_machine_has_are_refused_by_default(workload):
    """An actor for CUDA needs one; it would wait for it for minutes."""
    on_cuda = WorkloadObjective(workload, trained_on=torch.device("cuda"))
    said = r"--gpus-per-run 1 is more than any machine of the cluster has \(.+: 0\): lower it"
    with pytest.raises(InputError, match=said), actors(on_cuda, 1):
        pass


def test_a_signal_ends_the_wait_for_actors(workload, monkeypatch):
    """Also where the first signal is only noted, because something may be written."""
    looked = []

    def looks(pool, seconds):
        looked.append(seconds)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(ray_actors.RayActors, "check", lambda pool: len(looked) > 9)
    monkeypatch.setattr(ray_actors.RayActors, "look", looks)
    with interruption() as interrupted:
        with pytest.raises(KeyboardInterrupt), actors(WorkloadObjective(workload), 1):
            pass
        assert interrupted()
    assert len(looked) == 1
    pool = ray_actors.RayActors(WorkloadObjective(workload), 1, ExecutorOptions(executor="ray", workers=1))
    with interruption(), pytest.raises(KeyboardInterrupt):
        pool.call(process_of)
    assert len(looked) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(), "ValueError"),
        (ValueError("No module named"), "the project or one of its packages is not installed there"),
        (ValueError("\x1b[31mlost" + 999 * "!"), "?[31mlost!!!"),
    ],
)
def test_why_an_actor_was_lost_is_printable_and_short(error, said):
    assert ray_actors.why_lost(error).startswith(said)
    assert len(ray_actors.why_lost(error)) <= 400


def test_an_object_that_refuses_to_be_pickled_without_a_word(ray):
    class Silent:
        def __reduce__(self):
            raise ValueError

    assert ray_actors.not_pickled(Silent()) == "ValueError"


BAD = ["search.py", "--dataset", "digits", "--executor", "ray", "--workers", "1"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--gpus-per-run", "2"], r"--gpus-per-run 2 is more than any machine of the cluster has \(.+: 0\): lower it"),
        (
            ["--cpus-per-run", "99"],
            r"--cpus-per-run 99 is more than any machine of the cluster has \(.+: 8\): lower it",
        ),
        (["--pruner", "median"], "--pruner median prunes runs midway, one after another: remove --workers"),
    ],
)
def test_bad_input_is_told_before_a_study_is_made(flags, said, command, tmp_path):
    result = command(*BAD, *flags)
    assert result.code == 2
    assert re.search(said, result.err), result.err
    assert not (tmp_path / "results" / "studies.db").exists()
