"""The examples, each in its own process with the real packages: they see the learning rates of the schedule."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from search_spaces import Cosine, OneCycle, Plateau
from tests.helpers import ROOT

EXAMPLES = {"own_objective": 20, "amp_and_accumulation": 20, "lightning_module": 4, "transformers_trainer": 4}
"""How often each evaluates in a run."""
NEEDS = {"lightning_module": "lightning", "transformers_trainer": "transformers"}

DRIVER = """
import json, runpy, sys, torch
from search_spaces import *
path, *schedules = sys.argv[1:]
train = runpy.run_path(path, run_name="__main__")["train"]  # as a user runs it
print(json.dumps([train(*eval(schedule)) for schedule in schedules]))
"""


def run(example, *arguments):
    """What the example's `train` returns for each of these arguments, after its own run; and all that it printed."""
    if example in NEEDS and find_spec(NEEDS[example]) is None:
        pytest.skip(f"{NEEDS[example]} is not installed: pip install -e '.[examples]'")
    path = ROOT / "scripts" / "examples" / f"{example}.py"
    command = [sys.executable, "-c", DRIVER, str(path), *map(repr, arguments)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1]), ran.stdout + ran.stderr


def test_these_are_all():
    stems = {path.stem for path in (ROOT / "scripts" / "examples").glob("*.py")}
    assert stems == {*EXAMPLES, "language_model", "regression"}, "test_user_code.py has the others"


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_rates_are_those_of_the_schedule(example):
    listens = {"evaluations": EXAMPLES[example], "factor": 0.5, "patience_fraction": 0.05, "threshold": 0.9}
    schedules = [
        Cosine(peak_lr=0.05, warmup_fraction=0.1),
        OneCycle(peak_lr=0.05),
        Plateau(peak_lr=0.05, warmup_fraction=0.1, **listens),
        Plateau(peak_lr=0.05, **listens),
    ]
    trained, printed = run(example, *((schedule,) for schedule in schedules))
    assert "lr_scheduler.step()" not in printed, "torch warns of schedulers that are called too early"
    for schedule, (rates, losses) in zip(schedules, trained, strict=True):
        assert len(rates) >= 100
        assert len(losses) == EXAMPLES[example]
        assert rates == [lr for lr, _ in schedule.simulate(len(rates), losses)]
    assert min(trained[3][0]) < 0.05, "plateau must have heard something, or the test shows little"


@pytest.mark.slow
def test_the_schedule_waits_where_the_scaler_skips_an_update():
    schedule = OneCycle(peak_lr=0.05)
    [(whole, _), (skipped, _)], _ = run("amp_and_accumulation", (schedule,), (schedule, torch.float16, 2.0**24))
    assert len(skipped) < len(whole), "the first scale must have been too large"
    assert skipped == whole[: len(skipped)]
