"""Ray as a user meets it: what is wrong is told, and a whole search with it is as without it."""

import os
import signal
import socket
from pathlib import Path

import optuna
import psutil
import pytest

from study.executors import ray_actors, ray_cluster
from tests.helpers import alive, finished, start, wait_until
from tests.processes import wait_until_training

FLAGS = ["--dataset", "digits", "--epochs", 4, "--least-steps", 1, "--rung-fractions", 0.25, "--trials-per-batch", 5]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--executor ray needs the number of its actors: give --workers N"),
        (["--workers", 2, "--gpus-per-run", 1.5], "--gpus-per-run must be at most 1, or a whole number, but 1.5"),
        (["--workers", 2, "--cpus-per-run", 0], "--cpus-per-run must be above 0, but 0.0 was given"),
        (
            ["--workers", 2, "--ray-address", "ray://a:1"],
            "--ray-address must be HOST:PORT or auto, on a",
        ),
        (["--workers", 2, "--gpus-per-run", 1, "--device", "cpu"], "--gpus-per-run must fit --device cpu, but 1.0"),
        (["--workers", 2, "--ray-address", "no-port"], "nobody answers at --ray-address no-port"),
    ],
)
def test_flags_that_make_no_sense_are_told(flags, said, command, tmp_path):
    result = command("search.py", *FLAGS, "--executor", "ray", *flags)
    assert result.code == 2
    assert result.err.startswith(f"error: {said}")
    assert not (tmp_path / "results" / "studies.db").exists()


def test_flags_of_ray_are_for_ray(command):
    result = command("search.py", *FLAGS, "--gpus-per-run", 1)
    assert (result.code, result.err) == (2, "error: --gpus-per-run needs --executor ray, but 1.0 was given\n")


def test_without_ray_it_says_what_to_install(command, monkeypatch, tmp_path):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    result = command("search.py", *FLAGS, "--executor", "ray", "--workers", 2)
    assert (result.code, result.err) == (2, "error: --executor ray needs Ray: pip install -e '.[ray]'\n")
    assert not (tmp_path / "results" / "studies.db").exists()


def test_an_address_that_nobody_answers_at_is_told_at_once(command, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    result = command("search.py", *FLAGS, "--executor", "ray", "--workers", 2, "--ray-address", address)
    assert result.code == 2
    assert result.err.startswith(f"error: nobody answers at --ray-address {address} (")
    assert result.err.endswith("start Ray there with ray start --head --port=6379\n")
    assert not (tmp_path / "results" / "studies.db").exists()


def leftovers():
    """Processes of Ray, and what is in shared memory."""
    found = {one.pid: " ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])}
    ours = {pid for pid, said in found.items() if said.startswith("ray::") or "site-packages/ray/" in said}
    return {pid for pid in ours if alive(pid)}, {name for name in os.listdir("/dev/shm") if "plasma" in name}


@pytest.mark.slow
def test_an_owner_killed_with_all_its_actors_goes_on_when_started_again(folder, tmp_path, command, monkeypatch):
    """As the same search in one process of one thread; nothing of Ray is left."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")
    processes, shared = leftovers()
    flags = [*FLAGS, "--epochs", 20, "--trials", 5, "--confirm-seeds", 0, "--study", "killed"]
    ray = [*flags, "--executor", "ray", "--workers", 2]
    with start("search.py", *ray, cwd=folder) as process:
        wait_until_training(process, folder, 0, 1)
        wait_until(lambda: any("TrainingActor.train" in name for name in names()), why="no actor trains")
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not leftovers()[0] - processes, why="processes of Ray outlived their owner")
    assert leftovers()[1] <= shared
    monkeypatch.chdir(folder)
    continued = command("search.py", *ray)
    assert continued.code == 0, continued.err
    other = Path(tmp_path / "other")
    (other / "results").mkdir(parents=True)
    monkeypatch.chdir(other)
    assert command("search.py", *flags, "--engine", "loop", "--executor", "in-process").code == 0
    assert len(trials_in(folder)) == 5
    assert trials_in(folder) == trials_in(other)
    wait_until(lambda: not leftovers()[0] - processes, why="processes of Ray outlived the search")
    assert leftovers()[1] <= shared


@pytest.mark.slow
def test_actors_that_run_out_of_memory_are_told(command, tmp_path, monkeypatch):
    """Ray ends them, as if two hundredths of the memory were all; no study is left behind."""
    monkeypatch.setattr(ray_actors, "ATTEMPTS", 1)  # each takes seconds
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.02")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    result = command("search.py", *FLAGS, "--executor", "ray", "--workers", 1)
    assert result.code == 2
    assert result.err == "error: no Ray actor could be started: its machine ran out of memory\n"
    assert not (tmp_path / "results" / "studies.db").exists()


def trials_in(folder):
    """What is stored of the finished trials, but their times."""
    storage = f"sqlite:///{folder / 'results' / 'studies.db'}"
    return finished(optuna.load_study(study_name="killed", storage=storage).get_trials())


def names():
    """The titles of all processes."""
    return [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
