"""Schedules that cycle momentum, for a training of the user's whose optimizer has none, or is not seen."""

import shlex
import sys
from dataclasses import replace

import pytest
import torch

import study
from search_spaces import InputError, OneCycle
from search_spaces.optimizer_facts import has_momentum
from study.training import own_training as objectives
from study.training.first_run import FirstRunResult, first_runs
from tests import own_training
from tests.own_scripts import reported
from tests.own_training import STEPS, WITHOUT_MOMENTUM, train_with_rates

CYCLING = ["cyclic", "one_cycle", "linear"]
FEW = {"epochs": 4, "trials": 16, "sampler": "random", "reference": "none", "confirm_seeds": 0, "least_steps": 10}
SCRIPT = """
import sys
import torch
from study.script import report, scheduler
weight = torch.nn.Parameter(torch.ones(3))
optimizer = torch.optim.RMSprop([weight], lr=1.0)
epochs = int(sys.argv[1])
sched = scheduler(optimizer, epochs * 8)
for number in range(epochs * 8):
    optimizer.zero_grad()
    loss = (weight ** 2).sum()
    loss.backward()
    optimizer.step()
    sched.step()
    if (number + 1) % 8 == 0:
        report(loss.item())
"""


def train_without_momentum(schedule, epochs, seed, optimizer="SGD"):
    optimizer, step, error = own_training.optimized(WITHOUT_MOMENTUM[optimizer])
    scheduler = schedule.build(optimizer, epochs * STEPS)
    for number in range(epochs * STEPS):
        step(number)
        scheduler.step()
        if (number + 1) % STEPS == 0:
            yield error()


def train_with_rmsprop(schedule, epochs, seed):
    yield from train_without_momentum(schedule, epochs, seed, "RMSprop")


def said(capsys):
    """What was printed, whatever the width at which it was wrapped."""
    return " ".join(capsys.readouterr().out.split())


def cycled(record):
    """Whether momentum was cycled, for each trial that might have."""
    return [trial.schedule.cycle_momentum for trial in record.trials if trial.family != "linear"]


@pytest.mark.parametrize("name", WITHOUT_MOMENTUM)
def test_who_has_momentum(name):
    weights = [torch.nn.Parameter(torch.zeros(1))]
    assert not has_momentum(WITHOUT_MOMENTUM[name](weights))
    with pytest.raises(InputError, match=f"but {name} has none"):
        OneCycle(peak_lr=0.1, cycle_momentum=True).build(WITHOUT_MOMENTUM[name](weights), 10)
    for having in (torch.optim.SGD(weights, lr=0.1, momentum=0.9), torch.optim.AdamW(weights)):
        assert has_momentum(having)
        OneCycle(peak_lr=0.1, cycle_momentum=True).build(having, 10)


@pytest.mark.parametrize("function", [train_without_momentum, train_with_rmsprop])
def test_a_function_without_momentum_is_searched_to_the_end(function, tmp_path, capsys):
    asked = FEW | {"train": function, "families": CYCLING, "storage": tmp_path / "s.db"}
    found = study.find_schedule(**asked)
    why = "your optimizer has no momentum"
    fixed = f"Fixed: cyclic.cycle_momentum = False, one_cycle.cycle_momentum = False ({why})"
    assert fixed in said(capsys)
    assert set(cycled(found.record)) == {False}
    assert {trial.family for trial in found.record.trials} == set(CYCLING)
    more = study.find_schedule(**asked | {"trials": 20})
    assert len(more.record.trials) == 20
    assert fixed in said(capsys)


def test_with_momentum_both_are_searched(capsys):
    found = study.find_schedule(**FEW | {"train": own_training.train, "families": CYCLING})
    assert set(cycled(found.record)) == {True, False}
    assert "Fixed:" not in said(capsys)


def test_a_plain_list_of_rates_sets_no_momentum(capsys):
    asked = FEW | {"train": train_with_rates, "peak_lr": (0.001, 0.5), "families": CYCLING}
    found = study.find_schedule(**asked)
    assert "one_cycle.cycle_momentum = False (a plain list of rates sets no momentum)" in said(capsys)
    assert set(cycled(found.record)) == {False}


def test_a_script_says_whether_its_optimizer_has_momentum(script):
    assert reported(script(SCRIPT, "{epochs} {seed}"), budget=1)[-1].begun.momentum is False


@pytest.mark.slow
def test_a_script_without_momentum_is_searched_to_the_end(tmp_path, capsys):
    path = tmp_path / "plain.py"
    path.write_text(SCRIPT)
    command = f"{shlex.quote(sys.executable)} {path} {{epochs}} {{seed}}"
    asked = FEW | {"command": command, "families": ["one_cycle"], "epochs": 1, "trials": 3}
    found = study.find_schedule(**asked)
    assert "Fixed: one_cycle.cycle_momentum = False (your optimizer has no momentum)" in said(capsys)
    assert cycled(found.record) == [False] * 3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "families = ['one_cycle']\n[one_cycle]\ncycle_momentum = true",
            "cannot be trained with one_cycle: your optimizer has no momentum",
        ),
        (None, "cannot be trained with reference one_cycle: your optimizer has no momentum"),
    ],
)
def test_what_is_asked_for_is_refused_before_the_study(written, said, tmp_path):
    (tmp_path / "space.toml").write_text(written or "")
    how = {"space": str(tmp_path / "space.toml")} if written else {"families": CYCLING, "reference": "one_cycle"}
    with pytest.raises(InputError, match=said):
        study.find_schedule(**FEW | how | {"train": train_without_momentum, "progress": False})


def test_a_study_made_before_momentum_was_looked_for_goes_on(tmp_path, monkeypatch):
    """Its space has both, and stays as it is: a run that cannot be trained fails alone."""
    monkeypatch.setattr(objectives, "first_runs", lambda *given: replace(first_runs(*given), momentum=None))
    families = {"families": ["one_cycle", "linear", "rex"], "progress": False, "storage": tmp_path / "s.db"}
    asked = FEW | families | {"train": train_without_momentum}
    study.find_schedule(**asked | {"trials": 5})
    monkeypatch.undo()
    record = study.find_schedule(**asked).record
    assert FirstRunResult.read(record.stored["first_run"]).momentum is None
    failed = [trial for trial in record.trials if trial.failure]
    assert 0 < len(failed) < 16 == len(record.trials)
    for trial in record.trials:
        assert (trial.failure is not None) == getattr(trial.schedule, "cycle_momentum", False)
    assert "one_cycle with cycle_momentum=True needs an optimizer with momentum, but SGD has none" in failed[0].failure
    assert failed[-1].number >= 5
