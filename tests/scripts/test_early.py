"""A signal while a script imports: one line, whatever is being imported."""

import signal
import subprocess
import sys

import pytest

from tests.helpers import ROOT

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
SEND = """
import runpy, signal, sys

class Sender:
    def find_spec(name, *_):
        if name == sys.argv[2]:
            signal.raise_signal(int(sys.argv[3]))

signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored, as in the background
for name in sys.argv[4:]:
    __import__(name)
sys.meta_path.insert(0, Sender)
runpy.run_path(sys.argv[1], run_name="__main__")
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


def test_it_may_be_terminated():
    script = ROOT / "scripts" / "search.py"
    assert sent(script, signal.SIGTERM, "search_spaces.errors") == (130, "Interrupted: nothing had begun.\n")


def test_a_process_that_is_older_than_the_script_ends_as_it_did():
    script = ROOT / "scripts" / "search.py"
    for older in ("search_spaces", "multiprocessing"):
        code, _ = sent(script, signal.SIGTERM, "study.cli", older)
        assert code == -signal.SIGTERM
