"""What a script calls: nothing happens outside a study, and of many processes one reports."""

import subprocess
import sys

import pytest

from search_spaces import InputError
from study.training.command_line import CommandLine
from study.training.trainer import Died
from study.training.user_script import UserScript
from tests.own_scripts import SCHEDULE, gone, reported
from tests.own_training import run_request

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


def test_a_scheduler_is_stepped_watched_and_its_mistakes_are_said(script):
    trainer = script(TRAINS, "{epochs} {seed} 1")
    *_, last = reported(trainer, exact=True)
    assert (last.noted.step, last.begun.total_steps, last.begun.peak_lr) == (24, 24, (1e-5, 1e-1))
    assert last.noted.lr == pytest.approx(float(SCHEDULE.rates(24)[-1]))
    assert last.begun.momentum
    assert last.begun.optimizer_code == "torch.optim.AdamW(model.parameters(), lr={lr})"
    with pytest.raises(InputError, match="scheduler.step.. was called 26 times for 13 optimizer steps, in a run of 24"):
        reported(script(TRAINS, "{epochs} {seed} 2"))


def test_two_reports_at_one_step(script):
    program = "from study.script import rates, report; rates(8); report(1.0, step=4); report(1.0, step=4)"
    with pytest.raises(InputError, match="two evaluations at step 4 of a run"):
        reported(script(program, "{epochs}"))


@pytest.mark.parametrize("end", ["raise ValueError('too hot')", "sys.exit('too hot')"])
def test_a_run_that_fails_in_its_middle_has_failed_and_is_no_mistake(script, end):
    trainer = script(TRAINS.replace("    report(", f"    if epoch == 1: {end}\n    report("), "{epochs} {seed} 1")
    training = trainer.run(run_request(SCHEDULE, 3), lambda: False)
    assert next(training).noted.step == 8
    with pytest.raises(Died, match="it exited with code 1(.|\n)*too hot"):
        next(training)


def test_outside_a_study_nothing_happens(script, tmp_path, monkeypatch):
    monkeypatch.delenv("STUDY_RUN", raising=False)
    script("import sys, study.script as s; s.report(1.0); print(s.rates(5), 'optuna' in sys.modules)")
    found = subprocess.run([sys.executable, tmp_path / "user_train.py"], capture_output=True, text=True, check=True)
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


@pytest.mark.parametrize("rank", [None, "0"])
def test_a_worker_that_loads_data_takes_no_part(script, monkeypatch, rank):
    """It is forked after the run has begun, and under torchrun it has the environment of its rank."""
    program = """
import torch
from study.script import rates, report
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 3
    def __getitem__(self, row):
        assert rates(5) is None
        report(99.0)
        return row
rates(8)
assert list(map(int, torch.utils.data.DataLoader(Rows(), num_workers=1))) == [0, 1, 2]
report(1.0, step=8)
"""
    if rank:
        monkeypatch.setenv("RANK", rank)
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


def test_a_run_that_was_given_up_ends_itself(script, tmp_path):
    """Its files are gone, as when a study that was killed goes on while the run of the first start is still there."""
    program = """
import os, time
from study.script import report
for _ in range(600):
    report(os.getpid())
    time.sleep(0.05)
"""
    training = script(program).run(run_request(SCHEDULE, 3), lambda: False)
    process = int(next(training).noted.values["val_value"])
    (events,) = (tmp_path / "runs").glob("*/events-*")
    events.unlink()
    assert gone(process)
    with pytest.raises(FileNotFoundError):
        list(training)


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
