"""The process of a run: all that it starts ends with it, and its output is kept, as far as it is of use."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from search_spaces.step_watch import Left
from study.training import script_process
from study.training.trainer import Died
from tests.helpers import ROOT
from tests.own_scripts import SCHEDULE, gone, reported
from tests.own_training import run_request

STAYS = """
import subprocess, sys, time
from study.script import report
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[4], "w").write(str(child.pid))
report(0.5)
time.sleep({seconds})
"""


@pytest.mark.parametrize("seconds", [0, 600])
def test_all_that_a_run_has_started_ends_with_it(script, tmp_path, seconds):
    trainer = script(STAYS.format(seconds=seconds), f"{{peak_lr}} {{epochs}} {{seed}} {tmp_path / 'pid'}")
    training = trainer.run(run_request(SCHEDULE, 3), lambda: False)
    next(training)
    pid = int((tmp_path / "pid").read_text())
    assert psutil.pid_exists(pid)
    if seconds:
        training.close()
    else:
        assert list(training) == []
    assert gone(pid)


def test_a_run_that_is_left_ends_within_a_step(script):
    began = time.perf_counter()
    with pytest.raises(Left):
        reported(script("import time; time.sleep(600)"), left=lambda: time.perf_counter() > began + 0.2)
    assert time.perf_counter() < began + 30


def test_a_process_that_does_not_end_is_killed(script, monkeypatch):
    monkeypatch.setattr(script_process, "GRACE", 0.2)
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    program += "from study.script import report; report(0.5); time.sleep(600)"
    training = script(program).run(run_request(SCHEDULE, 3), lambda: False)
    next(training)
    began = time.perf_counter()
    training.close()
    assert time.perf_counter() < began + 30


def test_a_script_that_fails_says_so_with_its_last_lines(script, tmp_path):
    program = "for n in range(30): print('line', n)\nraise SystemExit('no such file')"
    with pytest.raises(Died) as raised:
        reported(script(program))
    lines = str(raised.value).splitlines()
    assert lines[0].startswith(f"it exited with code 1. Its last output ({tmp_path / 'runs'}/linear-")
    assert lines[1:] == [f"  line {n}" for n in range(11, 30)] + ["  no such file"]
    with pytest.raises(Died, match="it was ended by SIGKILL"):
        reported(script("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))


def test_of_gigabytes_of_output_the_last_is_kept(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script_process, "MOST_OUTPUT", 200_000)
    program = "import time; from study.script import report\n"
    program += "for n in range(60): print('x' * 10_000, n, flush=True); time.sleep(0.02)\nreport(1.0)"
    reported(script(program))
    (output,) = (tmp_path / "runs").glob("*/output.txt")
    assert output.stat().st_size < 500_000
    assert output.read_text().startswith("[the output before this is left out]\n")
    assert output.read_text().endswith(f"{'x' * 10_000} 59\n")


OWNER = """
import sys, time
from pathlib import Path
from study.training.script_process import ScriptProcess

with ScriptProcess(["sh", "-c", "sleep 600 & sleep 600"], {}, Path(sys.argv[1])) as run:
    print(run.process.pid, flush=True)
    time.sleep(600)
"""


def test_a_run_ends_with_the_process_that_started_it_even_if_that_is_killed(tmp_path):
    """Such as an actor on another machine, whose GPU it would keep."""
    command = [sys.executable, "-c", OWNER, str(tmp_path / "output.txt")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as owner:
        run = psutil.Process(int(owner.stdout.readline()))
        started = [run, *run.children()]
        assert len(started) >= 2
        owner.kill()
    assert all(gone(process.pid) for process in started)
