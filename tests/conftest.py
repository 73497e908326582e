"""Shared fixtures: a small real workload, and the scripts as a user calls them."""

import os
import runpy
import shlex
import signal
import sys
import uuid
from pathlib import Path

import alembic.script
import optuna
import pytest
import torch
from hypothesis import settings

from study.evidence.private_server import PrivateServer, postgresql_programs
from study.training.command_line import CommandLine
from study.training.user_script import UserScript
from tests.helpers import DIGITS, ROOT, Result

# Small matrices on busy machines: a second thread costs more than it gives. Child processes inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
# How long an example of a property takes depends on what else the machine does.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def pytest_addoption(parser):
    parser.addoption("--fuzz-seconds", type=float, default=60, help="how long tests/fuzz looks, all readers together")
    parser.addoption("--fuzz-seed", type=int, default=0, help="which random input tests/fuzz makes")


def pytest_collection_modifyitems(items):
    """The file that takes longest comes first, or one process types its commands while the others have nothing left.

    With --no-loadscope-reorder, as in .ci/run; without it the files with most tests come first.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/scripts/test_readme.py"))


def pytest_runtest_setup(item):
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, but torch sees none")


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory):
    """What commands note for their user is not noted for whoever runs the tests."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session", autouse=True)
def migrations():
    """Optuna reads and compiles all its migrations of the database whenever it opens one; here once is enough."""
    directories = {}
    read = alembic.script.ScriptDirectory.from_config

    def once(config):
        place = config.get_main_option("script_location")
        if place not in directories:
            directories[place] = read(config)
        return directories[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alembic.script.ScriptDirectory, "from_config", once)
        yield


@pytest.fixture(autouse=True)
def verbosity():
    """Scripts set it for their process, which is the tests' here."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(autouse=True)
def own_modules(tmp_path_factory):
    """A file that a test writes and imports is not what the next test finds under the same name."""
    before = set(sys.modules)
    yield
    folder = tmp_path_factory.getbasetemp()
    for name in set(sys.modules) - before:
        if folder in Path(getattr(sys.modules[name], "__file__", None) or "").parents:
            del sys.modules[name]


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def workload(data_root):
    return DIGITS.load(data_root)


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'studies.db'}"


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server of this worker."""
    if postgresql_programs() is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="needs the extra postgresql")
    with PrivateServer(["fsync=off", "synchronous_commit=off"]) as running:
        yield running


@pytest.fixture
def database(server, tmp_path, monkeypatch):
    """The URL of a new database on it; the working folder, where artifacts are kept by default, is an empty one."""
    monkeypatch.chdir(tmp_path)
    return server.create(f"test_{uuid.uuid4().hex[:12]}")


@pytest.fixture
def folder(tmp_path):
    """An empty folder that a user types commands in, with an empty results/."""
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    """Call a script in this process, in a folder of its own with an empty results/."""
    (tmp_path / "results").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(script, *arguments):
        path = ROOT / "scripts" / script
        monkeypatch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])  # as Python has it for a script
        code = 0
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def script(tmp_path):
    """Makes a trainer of a program; its arguments follow the program's name."""

    def make(program, arguments="{peak_lr} {epochs} {seed}", **options):
        path = tmp_path / "user_train.py"
        path.write_text(program)
        command = f"{shlex.quote(sys.executable)} {path} {arguments}"
        return UserScript(CommandLine(command), tmp_path / "runs", **options)

    return make


@pytest.fixture
def two_threads():
    """Torch has two threads, as on a machine with two cores; one otherwise."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)
