"""A script that trains: what goes in, what comes out, what ends with it, and each mistake in one message."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

import study
from search_spaces import InputError, Linear
from search_spaces.schedule_json import schedule_from_json, schedule_to_json
from search_spaces.step_watch import Left
from study.training import script_process, user_script
from study.training.command_line import CommandLine
from study.training.declaration import Declaration
from study.training.first_run import first_runs
from study.training.trainer import Died
from study.training.user_script import UserScript, device_of_worker, run_name
from tests.own_training import run_request

SCHEDULE = Linear(peak_lr=0.05)
REPORTS = """
import sys
from study.script import report
peak_lr, epochs, seed = map(float, sys.argv[1:])
for epoch in range(1, 1 + int(epochs)):
    print("epoch", epoch, flush=True)
    report(val_error=1 / (1 + epoch * peak_lr + seed), test_error=0.5)
"""
"""Hands the peak over by itself; needs no torch."""
TRAINS = """
import sys
import torch
from study.script import report, scheduler
epochs, seed, lr_steps = map(int, sys.argv[1:])
torch.manual_seed(seed)
weight = torch.nn.Parameter(torch.rand(1))
optimizer = torch.optim.AdamW([weight], lr=1.0)
sched = scheduler(optimizer, 8 * epochs) or torch.optim.lr_scheduler.ConstantLR(optimizer)
for epoch in range(epochs):
    for _ in range(8):
        optimizer.zero_grad()
        (weight - 3).square().sum().backward()
        optimizer.step()
        for _ in range(lr_steps):
            sched.step()
    report(float((weight - 3).detach().square()))
    print(optimizer.param_groups[0]["lr"])
"""


@pytest.fixture
def script(tmp_path):
    """Makes a trainer of a program; its arguments follow the program's name."""

    def make(program, arguments="{peak_lr} {epochs} {seed}", **options):
        path = tmp_path / "user_train.py"
        path.write_text(program)
        command = f"{shlex.quote(sys.executable)} {path} {arguments}"
        return UserScript(CommandLine(command), tmp_path / "runs", **options)

    return make


def reported(trainer, budget=3, left=lambda: False, schedule=SCHEDULE, **others):
    return list(trainer.run(run_request(schedule, budget, **others), left))


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


def test_a_schedule_goes_in_as_json_and_is_the_same():
    assert schedule_from_json(schedule_to_json(SCHEDULE)) == SCHEDULE


def test_a_scheduler_is_stepped_watched_and_its_mistakes_are_said(script):
    trainer = script(TRAINS, "{epochs} {seed} 1")
    *_, last = reported(trainer, exact=True)
    assert (last.noted.step, last.begun.total_steps, last.begun.peak_lr) == (24, 24, (1e-5, 1e-1))
    assert last.noted.lr == pytest.approx(float(SCHEDULE.rates(24)[-1]))
    assert last.begun.optimizer_code == "torch.optim.AdamW(model.parameters(), lr={lr})"
    with pytest.raises(InputError, match="scheduler.step.. was called 26 times for 13 optimizer steps, in a run of 24"):
        reported(script(TRAINS, "{epochs} {seed} 2"))


def test_outside_a_study_nothing_happens(script, tmp_path, monkeypatch):
    monkeypatch.delenv("STUDY_RUN", raising=False)
    script("import sys, study.script as s; s.report(1.0); print(s.rates(5), 'optuna' in sys.modules)")
    found = script_process.subprocess.run(
        [sys.executable, tmp_path / "user_train.py"], capture_output=True, text=True, check=True
    )
    assert found.stdout == "None False\n"


def test_a_process_that_a_script_starts_itself_takes_no_part(script):
    program = """
from multiprocessing import get_context
from study.script import rates, report
def load(row):
    report(99.0)
    return rates(5)
if __name__ == "__main__":
    with get_context("spawn").Pool(1) as pool:
        assert pool.map(load, [1]) == [None]
    report(1.0)
"""
    assert [one.noted.values for one in reported(script(program))] == [{"val_value": 1.0}]


def test_only_the_first_rank_is_listened_to(script, tmp_path):
    program = """
import os, subprocess, sys
from study.script import report
if "RANK" in os.environ:
    report(float(os.environ["RANK"]))
else:
    for rank in "10":
        subprocess.run([sys.executable, *sys.argv], env={**os.environ, "RANK": rank}, check=True)
"""
    assert [one.noted.values for one in reported(script(program))] == [{"val_value": 0.0}]


STAYS = """
import subprocess, sys, time
from study.script import report
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[4], "w").write(str(child.pid))
report(0.5)
time.sleep({seconds})
"""


def gone(pid):
    """Whether the process ends within some seconds."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


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


def test_a_run_that_was_given_up_ends_itself(script, tmp_path):
    """Its files are gone, as when a study that was killed goes on while the run of the first start is still there."""
    program = "import time; from study.script import report\nfor n in range(600): report(0.5); time.sleep(0.05)"
    training = script(program).run(run_request(SCHEDULE, 3), lambda: False)
    next(training)
    (events,) = (tmp_path / "runs").glob("*/events-*")
    process = psutil.Process().children()[-1]
    events.unlink()
    assert process.wait(30) is not None
    with pytest.raises(FileNotFoundError):
        list(training)


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


@pytest.mark.parametrize(
    ("program", "arguments", "said"),
    [
        ("", "{epochs} {seed} {epoch}", "unknown placeholder 'epoch' in --command: did you mean 'epochs'?"),
        ("", "{epochs} {", "--command cannot be read (Single '{' encountered in format string): write {{ for"),
        ("", "{epochs} 'x", "--command cannot be read (No closing quotation)"),
        ("", "{seed} {peak_lr}", "--command must name {epochs}, the length of the run"),
        ("", "{steps} {seed}", "--command must name {epochs}, the length of the run, or give --steps"),
        ("", "{epochs} {total_steps}", "{total_steps} is not known if budgets count epochs: give --steps"),
        ("", "{epochs} {peak_lr}", "the script ended without an evaluation: call study.script.report(value). Its last"),
        ("from study.script import report; report(1.0)", "{epochs}", "the script never called study.script.scheduler("),
    ],
)
def test_a_command_that_cannot_be(script, program, arguments, said):
    with pytest.raises(InputError) as raised:
        reported(script(program, arguments))
    assert said in str(raised.value)


def test_a_command_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="--command cannot be run: pithon: No such file or directory"):
        reported(UserScript(CommandLine("pithon train.py {epochs}"), tmp_path))
    with pytest.raises(InputError, match="--command is empty"):
        CommandLine("  ")


def test_two_reports_at_one_step(script):
    program = "from study.script import rates, report; rates(8); report(1.0, step=4); report(1.0, step=4)"
    with pytest.raises(InputError, match="two evaluations at step 4 of a run"):
        reported(script(program, "{epochs}"))


def test_a_peak_that_a_command_names_must_be_known(script):
    with pytest.raises(InputError, match="so give the range of the peak: --peak-lr LOW HIGH"):
        first_runs(script(REPORTS), Declaration(), "epochs", 3)
    found = first_runs(script(REPORTS), Declaration(peak_lr=(0.01, 1.0)), "epochs", 3)
    assert (found.metric, found.steps, found.seen) == ("error", 1, False)
    ignores = REPORTS.replace("epoch * peak_lr", "epoch")
    with pytest.raises(
        InputError, match="the schedule does not reach your optimizer: peaks 0.01 and 0.1 give the same"
    ):
        first_runs(script(ignores), Declaration(peak_lr=(0.01, 1.0)), "epochs", 3)


WRITES = """
import sys, time
peak_lr, epochs, seed = map(float, sys.argv[1:4])
with open(sys.argv[4] + "/summary.csv", "w") as file:
    file.write("epoch,eval_loss\\n")
    for epoch in range(int(epochs)):
        print(f"epoch {epoch}: eval_loss = {1 / (1 + epoch + peak_lr):.4f}", flush=True)
        file.write(f"{epoch},{1 / (1 + epoch + peak_lr):.4f}\\n")
        file.flush()
        time.sleep(0.1)
"""


@pytest.mark.parametrize("how", [{"csv": "{run_dir}/*.csv"}, {"pattern": r"eval_loss = ([\d.]+)"}])
def test_evaluations_are_read_from_a_csv_or_from_the_output(script, how):
    found = reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how), metric="eval_loss")
    values = [{"val_eval_loss": float(f"{1 / (1 + epoch + 0.05):.4f}")} for epoch in range(3)]
    assert [(one.noted.step, one.noted.values) for one in found] == list(enumerate(values, start=1))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            {"csv": "{run_dir}/summary.csv", "metric": "loss"},
            "unknown column 'loss' in summary.csv: did you",
        ),
        ({"csv": "{run_dir}/summary.csv"}, "--metric-csv needs --metric, the name of its column"),
        ({"pattern": "eval_loss = (.)"}, None),
        ({"pattern": "epoch (.*)"}, "what 'epoch (.*)' found is not a number: '0: eval_loss = 0.9524'"),
        ({"pattern": "eval_loss"}, "--metric-pattern 'eval_loss' needs one group in parentheses"),
        ({"pattern": "("}, "--metric-pattern '(' is no regular expression"),
        ({"pattern": "accuracy (.*)"}, "the script ended without an evaluation"),
    ],
)
def test_evaluations_that_cannot_be_read(script, how, said):
    metric = how.pop("metric", None)
    if said is None:
        assert len(reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how))) == 3
        return
    with pytest.raises(InputError) as raised:
        reported(script(WRITES, "{peak_lr} {epochs} {seed} {run_dir}", **how), metric=metric)
    assert said in str(raised.value)


def test_each_worker_has_a_gpu_of_its_own(monkeypatch):
    assert device_of_worker() == {}

    class Process:
        name = "SpawnProcess-4"

    monkeypatch.setattr(user_script, "parent_process", lambda: object())
    monkeypatch.setattr(user_script, "current_process", Process)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7,8")
    assert device_of_worker() == {"CUDA_VISIBLE_DEVICES": "5"}
    Process.name = "SpawnProcess-2"
    assert device_of_worker() == {"CUDA_VISIBLE_DEVICES": "7"}


def search(trainer, **options):
    options = {"peak_lr": (0.01, 1.0), "epochs": 3, "trials": 4, "sampler": "tpe", "progress": False} | options
    return study.find_schedule(command=trainer.command.text, **options)


def test_a_command_is_searched_resumed_and_reproduced(script, storage, tmp_path):
    trainer = script(REPORTS)
    whole = search(trainer)
    assert whole.record.settings.families == ("constant",)
    assert whole.best.value == min(trial.value for trial in whole.record.complete)
    assert whole.best.value == pytest.approx(1 / (1 + 3 * whole.schedule.peak_lr))
    kept = search(trainer, storage=storage)
    assert [t.value for t in kept.record.trials] == [t.value for t in whole.record.trials]
    (reproduced,) = kept.reproduce(1)
    assert reproduced.found == reproduced.stored
    assert len(list((tmp_path / "user_train-3-epochs" / "runs").iterdir())) == 3 + 4
    Path(shlex.split(trainer.command.text)[1]).write_text(REPORTS.replace("0.5", "0.6"))
    with pytest.raises(InputError, match="sources"):
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
        third_trial = len(seen) == 5  # after three first runs
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
    assert seen == [True] * 6
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
    assert found.record.settings.families == ("linear", "step")
    assert found.best.value == pytest.approx(min(abs(0.1 - trial.peak_lr) for trial in found.record.complete))
    with pytest.raises(InputError, match="gives --epochs itself: leave {epochs} out of --command"):
        reported(script(TIMM, "{timm} --epochs {epochs}", pattern="loss (.*)"))


RANKS = """
import os, sys, time
import torch
import torch.distributed as dist
from study.script import report, scheduler
epochs, seed, stay = map(int, sys.argv[1:])
dist.init_process_group("gloo")
torch.manual_seed(seed)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
sched = scheduler(optimizer, 4 * epochs)
x = torch.randn(8, 2, generator=torch.Generator().manual_seed(dist.get_rank()))
open(f"{os.path.dirname(os.environ['STUDY_RUN'])}/pid-{dist.get_rank()}", "w").write(str(os.getpid()))
for epoch in range(epochs):
    for _ in range(4):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        sched.step()
    report(1.0 + dist.get_rank() + epoch)
time.sleep(600 * stay)
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.parametrize("stay", [0, 1])
def test_under_torchrun_one_rank_reports_and_all_end(script, tmp_path, stay):
    trainer = script(RANKS, f"{{epochs}} {{seed}} {stay}")
    program, *rest = trainer.command.text.split(" ", 1)
    text = f"{program} -m torch.distributed.run --standalone --nproc_per_node=2 {rest[0]}"
    training = UserScript(CommandLine(text), tmp_path / "runs").run(run_request(SCHEDULE, 2), lambda: False)
    found = [next(training), next(training)]
    assert [(one.noted.step, one.noted.values) for one in found] == [(4, {"val_value": 1.0}), (8, {"val_value": 2.0})]
    pids = [int(path.read_text()) for path in (tmp_path / "runs").glob("*/pid-*")]
    assert len(pids) == 2
    training.close() if stay else list(training)
    assert all(map(gone, pids))
