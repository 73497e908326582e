"""What tests share: a small real workload, and the scripts as a user calls them."""

import os
import runpy
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
import torch

from study.configuration import Configuration
from study.engine import Engine
from study.provenance import provenance
from study.search import search
from study.storage import open_study

ROOT = Path(__file__).parent.parent
# Small matrices on busy machines: a second thread costs more than it gives. Child processes inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
optuna.logging.set_verbosity(optuna.logging.WARNING)

SMALL = Configuration(
    dataset="digits",
    epochs=4,
    rung_fractions=(0.25,),
    least_updates=1,
    reduction=4,
    sampler="tpe",
    startup_trials=10,
    trials_per_batch=5,
    trials_per_generation=10,
)
"""The digits data, 16 updates an epoch, rungs at 1 and 4 epochs: a trial takes a tenth of a second."""

LOOP, LOCKSTEP = Engine(), Engine(cohort=5)


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def workload(data_root):
    return SMALL.make_workload(data_root)


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'studies.db'}"


def open_small(storage, workload, configuration=SMALL, name="small"):
    """Open a study of the small workload, as scripts/search.py does."""
    attributes = {"group": name, **workload.attributes()}
    return open_study(storage, name, configuration.resolved(workload), attributes, provenance(workload.device))


def run_search(storage, workload, trials, configuration=SMALL, name="small", engine=LOOP):
    """Search to the end, and return the trials that the study holds."""
    with open_small(storage, workload, configuration, name) as optuna_study:
        for _ in search(optuna_study, workload, configuration, engine, trials):
            pass
        return optuna_study.get_trials()


@dataclass
class Result:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    """Call a script in this process, in a folder of its own with an empty results/."""
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)

    def call(script, *arguments):
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        code = 0
        try:
            runpy.run_path(str(ROOT / "scripts" / script), run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    yield call
    signal.signal(signal.SIGTERM, handler)


def start(script, *arguments, cwd):
    """Start a script as a process of its own."""
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
