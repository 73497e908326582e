"""Ray: starts it on this machine, or joins a cluster, and says in one message what is wrong with it."""

from __future__ import annotations

import math
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any

from search_spaces.errors import InputError, words_of
from study.executors import ray_guard
from study.executors.options import ExecutorOptions

ANSWERS_WITHIN = 5.0
"""Seconds that a machine has to answer at its address. Ray itself would try for minutes, and then end this process."""
TOKEN = secrets.token_hex(32)
"""What every part of our own Ray must know. Ray reads it once in a process, so this stays the same; without it, Ray
writes one into the home directory."""
QUIET = {"log_to_driver": False, "logging_level": "ERROR"}


def ray_running(options: ExecutorOptions) -> AbstractContextManager[None]:
    """Ray, if the options require it: started here, or joined, until the context ends. Does nothing if it runs already.

    Raises InputError if Ray is not installed, does not start, nobody answers at the address, or no node has the GPUs.
    """
    return ray_of(options) if options.executor == "ray" else nullcontext()


@contextmanager
def ray_of(options: ExecutorOptions) -> Iterator[None]:
    """See `ray_running`."""
    if find_spec("ray") is None:
        raise InputError("--executor ray needs Ray: pip install -e '.[ray]'")
    import ray

    if ray.is_initialized():  # by a context around this one, or by the user's notebook
        check_devices(options)
        yield
        return
    assert options.workers is not None
    reserved = math.ceil(options.workers * (options.cpus_per_run or 1))
    with own_ray(reserved) if options.ray_address is None else ray_at(options.ray_address):
        check_devices(options)
        yield


@contextmanager
def own_ray(cpus: int, **settings: str) -> Iterator[str]:
    """A Ray of our own on this machine, without output; yields the temporary folder of all its files.

    cpus: how many cores it states; may be more than there are. settings: environment variables that it is to find.
    """
    with TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:  # sockets: a short path
        environment = {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # as for worker processes: nice ones stand still on a busy machine
            "RAY_TMPDIR": folder,
            "RAY_AUTH_TOKEN": TOKEN,
        }
        with (
            guarded(folder),
            started(environment | settings, "local", num_cpus=cpus, include_dashboard=False),
        ):
            yield folder


@contextmanager
def guarded(folder: str) -> Iterator[None]:
    """All that this process starts in this context ends, and the folder is removed, even if this process is killed."""
    command = [sys.executable, ray_guard.__file__, str(os.getpid()), folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            yield
        finally:
            guard.kill()


@contextmanager
def ray_at(address: str) -> Iterator[None]:
    """The Ray cluster at an address, or the one that this machine belongs to; it stays when the context ends."""
    where = address_meant(address)
    if why := silence_at(where):
        raise InputError(
            f"nobody answers at --ray-address {where} ({why}): start Ray there with ray start --head --port=6379"
        )
    with started({}, where):
        yield


def address_meant(address: str) -> str:
    """The HOST:PORT that an address means, or auto."""
    return os.environ.get("RAY_ADDRESS", address) if address == "auto" else address


def silence_at(where: str) -> str | None:
    """Why nobody answers at HOST:PORT; None if somebody does, or for auto, where Ray itself finds out."""
    host, _, port = where.rpartition(":")
    try:
        if where != "auto":
            socket.create_connection((host, int(port)), ANSWERS_WITHIN).close()
    except (OSError, ValueError) as error:
        return words_of(error)
    return None


@contextmanager
def started(environment: Mapping[str, str], address: str, **options: Any) -> Iterator[None]:
    """Ray, initialised with these options, and with these environment variables until the context ends."""
    import ray
    from ray.exceptions import RayError

    before = {name: os.environ.get(name) for name in (*environment, "RAY_AUTH_MODE")}  # Ray sets the last one itself
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.update(environment)
    try:
        try:
            ray.init(address, **options, **QUIET)
        except (RayError, RuntimeError, ValueError, OSError) as error:  # ConnectionError is an OSError
            what = "Ray cannot be started" if address == "local" else f"the Ray cluster {address} cannot be joined"
            raise InputError(f"{what}: {words_of(error)}") from error
        finally:
            if threading.current_thread() is threading.main_thread() and handler is not None:
                signal.signal(signal.SIGTERM, handler)  # Ray's own would end this process in the middle of a write
        yield
    finally:
        ray.shutdown()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_devices(options: ExecutorOptions) -> None:
    """Raise InputError if no node has the cores and GPUs that one actor needs. Without --gpus-per-run it is called with
    its default by `RayActors`, which know the device."""
    import ray

    needed = {"GPU": options.gpus_per_run or 0, "CPU": options.cpus_per_run or 1}
    nodes = {node["NodeManagerHostname"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
    for kind, number in needed.items():
        most = max((resources.get(kind, 0) for resources in nodes.values()), default=0)
        if number > most:
            has = ", ".join(f"{host}: {resources.get(kind, 0):g}" for host, resources in nodes.items())
            flag = f"--{kind.lower()}s-per-run {number:g}"
            raise InputError(f"{flag} is more than any machine of the cluster has ({has}): lower it, or start others")
