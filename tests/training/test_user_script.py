"""A script as what trains: what it reports is heard, and it is searched, resumed and reproduced."""

import os
import shlex
import signal
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

import study
from search_spaces import InputError
from search_spaces.schedule_json import schedule_from_json, schedule_to_json
from search_spaces.step_watch import Left
from study.training import script_process
from study.training.trainer import Died
from study.training.user_script import run_name
from tests.own_scripts import REPORTS, SCHEDULE, gone, reported
from tests.own_training import run_request


def test_what_a_script_reports_is_heard(script):
    found = reported(script(REPORTS), seed=2)
    values = [{"val_error": 1 / (1 + epoch * 0.05 + 2), "test_error": 0.5} for epoch in (1, 2, 3)]
    assert [(one.noted.step, one.noted.values, one.begun) for one in found] == [
        (step, value, None) for step, value in enumerate(values, start=1)
    ]


def test_a_run_has_a_folder_of_its_own_which_keeps_its_output(script, tmp_path):
    program = "import sys; from pathlib import Path; from study.script import report\n"
    program += "Path(sys.argv[1], 'checkpoint').open('x').close(); print('done'); report(1.0)"
    trainer = script(program, "{run_dir} {epochs} {seed} {peak_lr}")
    for _ in range(2):  # trained again, it begins from scratch
        reported(trainer)
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name == run_name(run_request(SCHEDULE, 3))
    assert folder.name.startswith("linear-")
    assert (folder / "output.txt").read_text() == "done\n"
    assert (folder / "checkpoint").is_file()
    reported(trainer, seed=1)
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


LEAVES_FILES = REPORTS + "from pathlib import Path; Path(sys.argv[4], 'checkpoint').touch()\n"
LEAVES_FILES = LEAVES_FILES.replace("sys.argv[1:]", "sys.argv[1:4]")
ARGUMENTS = "{peak_lr} {epochs} {seed} {run_dir}"


def test_a_search_without_storage_leaves_no_files(script, temporary):
    """Of any run: the first ones, those of the search, and those that are trained again."""
    trainer, seen = script(LEAVES_FILES, ARGUMENTS), []
    found = search(trainer, trials=2)
    assert all(one.found == one.stored for one in found.reproduce(found.best.number))
    for _ in replace(trainer, folder=None).run(run_request(SCHEDULE, 2), lambda: False):
        seen += [path.name for path in temporary.glob("*/*.json*")]
    assert seen, "it was there"
    assert list(temporary.iterdir()) == []


def test_a_run_that_is_left_leaves_no_files(script, temporary):
    for left in (lambda: False, lambda: True):
        training = replace(script(LEAVES_FILES, ARGUMENTS), folder=None).run(run_request(SCHEDULE, 2), left)
        with suppress(Left):
            next(training)
        training.close()
        assert list(temporary.iterdir()) == []


def test_the_output_that_a_message_points_to_is_kept(script, temporary):
    dies = replace(script("import sys; print('out of memory'); sys.exit(3)"), folder=None)
    with pytest.raises(Died, match="it exited with code 3") as raised:
        list(dies.run(run_request(SCHEDULE, 2), lambda: False))
    (output,) = temporary.glob("*/output.txt")
    assert f"Its last output ({output}):\n  out of memory" in str(raised.value)
    silent = replace(script("print('done')"), folder=None)
    with pytest.raises(InputError, match="the script ended without an evaluation") as ended:
        list(silent.run(run_request(SCHEDULE, 2), lambda: False))
    assert str(max(temporary.iterdir(), key=lambda folder: folder.name in str(ended.value))) in str(ended.value)
    assert len(list(temporary.iterdir())) == 2
    missing = replace(script("", "{epochs} {peak_lr}"), folder=None, csv="x.csv")
    with pytest.raises(InputError, match="--metric-csv needs --metric"):
        list(missing.run(run_request(SCHEDULE, 2), lambda: False))
    assert len(list(temporary.iterdir())) == 2, "nothing points to its output"


def test_a_schedule_goes_in_as_json_and_is_the_same():
    assert schedule_from_json(schedule_to_json(SCHEDULE)) == SCHEDULE


def search(trainer, **options):
    options = {"reference": "none", "confirm_seeds": 0} | options
    options = {"peak_lr": (0.01, 1.0), "epochs": 3, "trials": 4, "sampler": "tpe", "progress": False} | options
    return study.find_schedule(command=trainer.command.text, **options)


def test_a_command_is_searched_resumed_and_reproduced(script, storage, tmp_path):
    trainer = script(REPORTS)
    whole = search(trainer)
    assert whole.record.settings.families == ("constant",)
    assert whole.record.settings.budgets == (1, 3)
    assert all(trial.schedule.warmup_fraction == 0 for trial in whole.record.trials)
    assert [trial.curve.steps for trial in whole.record.complete] == [(100, 200, 300)] * len(whole.record.complete)
    assert whole.best.value == min(trial.value for trial in whole.record.complete)
    assert whole.best.value == pytest.approx(1 / (1 + 3 * whole.schedule.peak_lr))
    kept = search(trainer, storage=storage)
    assert [t.value for t in kept.record.trials] == [t.value for t in whole.record.trials]
    (reproduced,) = kept.reproduce(1)
    assert reproduced.found == reproduced.stored
    assert len(list((tmp_path / "user_train-3-epochs" / "runs").iterdir())) == 4 + sum(
        len(trial.epochs_used) for trial in kept.record.trials
    )
    Path(shlex.split(trainer.command.text)[1]).write_text(REPORTS.replace("0.5", "0.6"))
    with pytest.raises(InputError, match="has changed since study"):
        search(trainer, storage=storage)


def test_a_stop_ends_the_run_of_a_search_and_loses_nothing(script, storage, monkeypatch, tmp_path):
    """As Ctrl-C does, whose signal the search notes."""
    trainer = script(REPORTS + f"import os, time; time.sleep(600 * os.path.exists('{tmp_path}/slow'))\n")
    whole = search(trainer)
    ended = script_process.ScriptProcess.__exit__
    seen = []

    def noting(self, *error):
        ended(self, *error)
        seen.append(gone(self.process.pid))

    def send(self, words, environment, output, begin=script_process.ScriptProcess.__init__):
        third_trial = len(seen) == 6  # after four first runs
        if third_trial:
            (tmp_path / "slow").touch()
        begin(self, words, environment, output)
        if third_trial:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(script_process.ScriptProcess, "__exit__", noting)
        patched.setattr(script_process.ScriptProcess, "__init__", send)
        with pytest.raises(KeyboardInterrupt):
            search(trainer, storage=storage)
    assert seen == [True] * 7
    (tmp_path / "slow").unlink()
    again = search(trainer, storage=storage)
    assert [t.value for t in again.record.trials] == [t.value for t in whole.record.trials]


TIMM = """
import argparse, sys
parser = argparse.ArgumentParser()
for name in ("epochs", "warmup-epochs", "seed"):
    parser.add_argument(f"--{name}", type=int)
parser.add_argument("--lr", type=float)
args, _ = parser.parse_known_args()
for epoch in range(args.epochs + args.warmup_epochs):
    print("loss", abs(0.1 - args.lr) + args.seed / 100, flush=True)
"""


def test_timm_s_flags_are_given_without_an_edit(script):
    trainer = script(TIMM, "--seed {seed} {timm}", pattern="loss (.*)")
    found = search(trainer, metric_pattern="loss (.*)", epochs=10, families=["linear", "step", "plateau", "cosine"])
    assert found.record.settings.families == ("linear", "step", "cosine")
    assert found.record.configuration["space"]["cosine.t_max_fraction"]["attributes"]["low"] == 1.0
    assert found.best.value == pytest.approx(min(abs(0.1 - trial.peak_lr) for trial in found.record.complete))
    with pytest.raises(InputError, match="gives --epochs itself: leave {epochs} out of --command"):
        reported(script(TIMM, "{timm} --epochs {epochs}", pattern="loss (.*)"))
