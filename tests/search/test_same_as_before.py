"""Nothing is lost: studies made by the code before the house was rebuilt are found again, and go on.

tests/data has the trials of the default study and of a small one, with what they were made on, and a database of the
small one as it was after ten trials, with a comparison of families beside it. Where the machine is the same, all is
compared to the last bit; elsewhere the parameters of the start-up trials exactly, and values to a hundredth, which is
eight of the 800 rows: another processor rounds otherwise.
"""

import json
import platform
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path

import optuna
import pytest
import torch

import study
from study.storage.studies import read_studies
from tests.helpers import ROOT

DATA = ROOT / "tests" / "data"
MADE_WITH = ("--sampler", "gp-optuna")
"""The default when the database was made, by its name of today."""
ALONE = ("--reference", "none", "--confirm-seeds", "0")
"""The default when the listing was made."""
NEW_NAMES = {"--least-updates": "--least-steps", "--trials-per-generation": "--trials-per-bracket"}


def this_machine():
    """What a listing says of the machine that it was made on; None where that cannot be known."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return None
    first = cpuinfo.read_text().split("\n\n")[0]
    cpu = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    kinds = ("cpu family", "model", "stepping")
    if not {"model name", *kinds} <= set(cpu):
        return None
    return {
        "cpu": ", ".join([cpu["model name"], *(f"{kind} {cpu[kind]}" for kind in kinds)]),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in ("optuna", "numpy", "scipy", "scikit-learn")},
    }


def made_here(listing):
    """Whether a listing was made on such a machine, with the same versions of what it names."""
    machine = this_machine() or {}
    return {kind: machine.get(kind) for kind in listing["made"]} == listing["made"]


def trials_of(storage, name):
    """As a listing has them, in the order of asking."""
    trials = optuna.load_study(study_name=name, storage=storage).trials
    places = [trial.user_attrs["record"]["place"] for trial in trials]
    order = sorted(range(len(trials)), key=lambda i: (places[i]["generation"], places[i]["position"]))
    rows = [
        {"params": t.params, "state": t.state.name.lower(), "value": t.value, "reported": t.intermediate_values}
        for t in (trials[i] for i in order)
    ]
    return json.loads(json.dumps(rows))


def compare(found, listing, startup):
    """startup: trials that depend on nothing but the sampler's seed."""
    assert len(found) == len(listing["trials"])
    if made_here(listing):
        assert found == listing["trials"]
        return
    for now, before in zip(found[:startup], listing["trials"], strict=False):
        assert now["params"] == before["params"]
        assert next(iter(now["reported"].values())) == pytest.approx(next(iter(before["reported"].values())), abs=1e-2)


def arguments_of(listing):
    """The flags of its command, by the names of today."""
    return [NEW_NAMES.get(word, word) for word in shlex.split(listing["command"])[1:]]


@pytest.mark.slow
def test_the_default_study_is_the_same(command):
    listing = json.loads((DATA / "default_study.json").read_text())
    result = command("search.py", *arguments_of(listing), *ALONE)
    assert result.code == 0, result.err
    compare(trials_of("sqlite:///results/studies.db", "default"), listing, startup=20)


@pytest.fixture
def storage(tmp_path):
    """The database made before, copied."""
    shutil.copy(DATA / "format-3.db", tmp_path / "before.db")
    return f"sqlite:///{tmp_path / 'before.db'}"


def test_a_study_made_before_goes_on(storage, command):
    listing = json.loads((DATA / "resumed_study.json").read_text())
    before = trials_of(storage, "before")
    result = command("search.py", *arguments_of(listing), *MADE_WITH, "--storage", storage)
    assert result.code == 0, result.err
    after = trials_of(storage, "before")
    assert after[:10] == before
    compare(after, listing, startup=5)


def test_a_study_made_before_does_not_go_on_with_another_gaussian_process(storage, command):
    listing = json.loads((DATA / "resumed_study.json").read_text())
    result = command("search.py", *arguments_of(listing), "--storage", storage)
    assert result.code == 2
    assert "study 'before' was made with sampler gp-optuna (now gp): give the same again" in result.err
    assert read_studies(storage, "before")[0].settings.sampler == "gp-optuna"


def test_a_study_made_before_is_reported_exported_and_reproduced(storage, command, tmp_path):
    for name in ("before", "before-benchmark"):
        written = command("report.py", "--study", name, "--storage", storage, "--output", tmp_path / name)
        assert (written.code, written.err) == (0, "")
    exported = command("export.py", "--study", "before", "--storage", storage)
    assert exported.code == 0
    assert "def make_scheduler(" in exported.out
    reproduced = command("reproduce.py", "--study", "before", "--trial", 3, "--storage", storage)
    listing = json.loads((DATA / "resumed_study.json").read_text())
    assert reproduced.code == 0 or not made_here(listing), reproduced.out
    assert "stored 0.875, reproduced 0.8" in reproduced.out


def test_a_benchmark_made_before_is_all_done(storage, command):
    before = [record.confirmed for record in read_studies(storage, "before-benchmark")]
    flags = "--dataset digits --families constant linear --epochs 1 2 --trials-per-family 3 --confirm-seeds 3"
    named = ["--engine", "loop", "--device", "cpu", "--name", "before-benchmark", "--storage", storage]
    result = command("benchmark.py", *flags.split(), *MADE_WITH, *named)
    assert result.code == 0, result.err
    assert [record.confirmed for record in read_studies(storage, "before-benchmark")] == before
    assert len(study.load("before-benchmark", storage).studies) == 4


@pytest.mark.parametrize(("old", "new"), NEW_NAMES.items())
@pytest.mark.parametrize("given", ["{} 1", "{}=1"])
def test_a_flag_that_was_renamed_answers_with_its_new_name(old, new, given, command):
    for script in ("search.py", "benchmark.py"):
        result = command(script, *given.format(old).split())
        assert result.code == 2
        assert f"has a new name: type {new}" in result.err
