"""The optimizer that schedule_free trains with, and what it refuses."""

import copy
import sys

import pytest
import schedulefree
import torch

from search_spaces import InputError, ScheduleFree
from search_spaces.export import Exported, torch_code


def groups(*rates):
    return [{"params": [torch.nn.Parameter(torch.ones(2))], "lr": rate, "weight_decay": rate / 10} for rate in rates]


def test_a_twin_keeps_groups_and_their_options():
    sgd = torch.optim.SGD(groups(0.1, 0.01), momentum=0.5, nesterov=True)
    twin = ScheduleFree(peak_lr=0.3, beta=0.98).optimizer(sgd)
    assert type(twin) is schedulefree.SGDScheduleFree
    assert [group["params"] for group in twin.param_groups] == [group["params"] for group in sgd.param_groups]
    assert [group["lr"] for group in twin.param_groups] == [0.1, 0.01]
    assert [group["weight_decay"] for group in twin.param_groups] == [0.01, 0.001]
    assert {group["momentum"] for group in twin.param_groups} == {0.98}
    adamw = torch.optim.AdamW(groups(0.1), betas=(0.5, 0.95), eps=1e-5)
    twin = ScheduleFree(peak_lr=0.3).optimizer(adamw)
    assert type(twin) is schedulefree.AdamWScheduleFree
    [group] = twin.param_groups
    assert (group["betas"], group["eps"], group["train_mode"]) == ((0.9, 0.95), 1e-5, True)


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (torch.optim.RMSprop(groups(0.1)), "schedulefree has twins of torch's SGD and AdamW, not of RMSprop"),
        (torch.optim.SGD(groups(0.1), maximize=True), "schedulefree's twin of SGD has no maximize"),
        (torch.optim.AdamW(groups(0.1), amsgrad=True), "schedulefree's twin of AdamW has no amsgrad"),
    ],
)
def test_what_has_no_twin_is_refused(optimizer, said):
    with pytest.raises(InputError, match=f"schedule_free cannot replace this optimizer: {said}"):
        ScheduleFree(peak_lr=0.1).optimizer(optimizer)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("search_spaces.schedule_free_optimizer.find_spec", lambda name: None)
    with pytest.raises(InputError, match="it needs the package schedulefree: pip install schedulefree"):
        ScheduleFree(peak_lr=0.1).optimizer(torch.optim.SGD(groups(0.1)))
    assert ScheduleFree(peak_lr=0.1).simulate(3), "its rates need no package"
    assert "schedulefree" not in vars(sys.modules["search_spaces.schedule_free_optimizer"])


def test_an_ordinary_optimizer_is_not_trained_without_a_word():
    with pytest.raises(InputError, match="schedule_free replaces the optimizer, but torch's SGD was given: make the"):
        ScheduleFree(peak_lr=0.1).build(torch.optim.SGD(groups(0.1)), 10)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_beta_is_a_share(beta):
    with pytest.raises(InputError, match="beta must be above 0 and below 1"):
        ScheduleFree(peak_lr=0.1, beta=beta)


def weights_after(optimizer, scheduler, weight):
    for _ in range(20):
        optimizer.zero_grad()
        (weight**2).sum().backward()
        optimizer.step()
        scheduler.step()
    optimizer.eval()
    return weight.detach().clone()


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
def test_exported_code_trains_the_same(kind):
    schedule, made, trained = ScheduleFree(peak_lr=0.1, warmup_fraction=0.2, beta=0.95), {}, []
    exec(torch_code(Exported(schedule, f"torch.optim.{kind}(model.parameters(), lr={{lr}})")), made)
    for ours in (True, False):
        model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor([1.0, -2.0]))])
        if ours:
            optimizer = schedule.optimizer(getattr(torch.optim, kind)(model.parameters(), lr=0.1))
            scheduler = schedule.build(optimizer, 20)
        else:
            optimizer = made["make_schedule_free"](model)
            scheduler = made["make_scheduler"](optimizer, 20)
        trained.append(weights_after(optimizer, scheduler, model[0]))
    assert torch.equal(*trained)
    assert 0 < trained[0].abs().max() < 1.9
    with pytest.raises(made["InputError"], match="make the scheduler of its twin"):
        made["make_scheduler"](torch.optim.SGD(groups(0.1)), 20)


def test_a_checkpoint_goes_on():
    def built():
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = schedule.optimizer(torch.optim.SGD([weight], lr=0.1))
        return weight, optimizer, schedule.build(optimizer, 40)

    schedule = ScheduleFree(peak_lr=0.1, warmup_fraction=0.6)
    weight, optimizer, scheduler = built()
    weights_after(optimizer, scheduler, weight)
    states = weight.detach().clone(), copy.deepcopy(optimizer.state_dict()), scheduler.state_dict()
    optimizer.train()
    whole = weights_after(optimizer, scheduler, weight)
    weight, optimizer, scheduler = built()
    weight.data.copy_(states[0])
    optimizer.load_state_dict(states[1])
    scheduler.load_state_dict(states[2])
    optimizer.train()
    assert torch.equal(weights_after(optimizer, scheduler, weight), whole)
