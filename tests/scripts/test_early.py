"""A signal while a script imports: one line, whatever is being imported."""

import signal
import subprocess
import sys

import pytest

from tests.helpers import ROOT

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
SEND = """
import runpy, signal, sys

script, at, number, *loaded = sys.argv[1:]

class Sender:
    def find_spec(name, *_):
        if name == at:
            signal.raise_signal(int(number))

signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored, as in the background
for name in loaded:
    __import__(name)
sys.meta_path.insert(0, Sender)
sys.argv = [script]
runpy.run_path(script, run_name="__main__")
"""


def sent(script, number, at, *loaded):
    """(exit code, what it said) of a script that gets the signal when it imports this module. loaded: before."""
    command = [sys.executable, "-c", SEND, script, at, str(int(number)), *loaded]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_that_is_interrupted_while_it_imports_says_one_line(script):
    """From its first import on."""
    assert sent(script, signal.SIGINT, "dataclasses") == (130, "Interrupted: nothing had begun.\n")


def test_so_does_one_that_imports_torch():
    """The flags have been read; an import might swallow an exception."""
    script = ROOT / "scripts" / "search.py"
    assert sent(script, signal.SIGINT, "torch.nn") == (130, "Interrupted: nothing had begun.\n")


@pytest.mark.parametrize("step", ["study.source.make_objective", "study.assembly.open_study"])
def test_so_does_one_that_has_imported_all_and_has_not_begun(step, command, monkeypatch):
    monkeypatch.setattr(step, lambda *arguments: signal.raise_signal(signal.SIGTERM))
    result = command("search.py", "--dataset", "digits")
    assert result.code == 130
    assert result.err == "Interrupted: everything finished is kept; the same command continues.\n"


def test_it_may_be_terminated():
    script = ROOT / "scripts" / "search.py"
    assert sent(script, signal.SIGTERM, "search_spaces.errors") == (130, "Interrupted: nothing had begun.\n")


def test_a_process_that_is_older_than_the_script_ends_as_it_did():
    script = ROOT / "scripts" / "search.py"
    for older in ("search_spaces", "multiprocessing"):
        code, _ = sent(script, signal.SIGTERM, "study.cli", older)
        assert code == -signal.SIGTERM
