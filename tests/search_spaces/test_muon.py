"""Muon and AdamW as one optimizer, beside torch's two that are stepped one after the other."""

import copy

import pytest
import torch
from torch import nn

from search_spaces import REX, OneCycle
from search_spaces.muon import MuonWithAdamW

ENDS = ["0.weight", "3.weight"]


def made():
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(7, 6), nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 3), nn.Conv1d(3, 2, 1))


def give_gradients(model, step):
    generator = torch.Generator().manual_seed(step)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def by_hand(model, lr):
    """Torch's two optimizers, as a person would make them for this model."""
    embedding, linear, norm, head, convolution = model
    vectors = [linear.bias, norm.weight, norm.bias, head.bias, convolution.bias]
    groups = [
        {"params": [embedding.weight, head.weight, convolution.weight], "weight_decay": 0.2},
        {"params": vectors, "weight_decay": 0.0},
    ]
    muon = torch.optim.Muon([linear.weight], lr=lr, weight_decay=0.2, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    return muon, torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))


@pytest.mark.parametrize("schedule", [REX(peak_lr=0.05, warmup_fraction=0.3), OneCycle(peak_lr=0.05)], ids=str)
def test_a_run_has_the_bits_of_torchs_two(schedule):
    """Also in what is cycled: momentum in Muon, beta1 in AdamW."""
    ours, theirs = made(), made()
    optimizer = MuonWithAdamW(ours, ENDS, lr=1.0, weight_decay=0.2)
    optimizers = by_hand(theirs, 1.0)
    schedulers = [schedule.build(one, 12) for one in (optimizer, *optimizers)]
    for step in range(12):
        for model in (ours, theirs):
            give_gradients(model, step)
        for one in (optimizer, *optimizers, *schedulers):
            one.step()
    for found, expected, before in zip(ours.parameters(), theirs.parameters(), made().parameters(), strict=True):
        assert torch.equal(found, expected)
        assert not torch.equal(found, before)


def test_a_saved_or_copied_one_goes_on_as_if_nothing_had_happened():
    expected, loaded, copied = made(), made(), made()
    first = MuonWithAdamW(expected, ENDS, lr=0.05, weight_decay=0.2)
    for step in range(3):
        give_gradients(expected, step)
        first.step()
    loaded.load_state_dict(expected.state_dict())
    second = MuonWithAdamW(loaded, ENDS, lr=1.0, weight_decay=0.0)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    copied, third = copy.deepcopy((expected, first))
    for model, optimizer in ((expected, first), (loaded, second), (copied, third)):
        for step in range(3, 6):
            give_gradients(model, step)
            optimizer.step()
    for one, *others in zip(expected.parameters(), loaded.parameters(), copied.parameters(), strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_a_group_that_is_added_later_is_adamws():
    model, late = made(), [nn.Parameter(torch.ones(2, 2)) for _ in range(2)]
    optimizer = MuonWithAdamW(model, ENDS, lr=0.05, weight_decay=0.2)
    optimizer.add_param_group({"params": [late[0]], "lr": 0.01})
    adamw = torch.optim.AdamW([late[1]], lr=0.01, betas=(0.9, 0.95), weight_decay=0.2)
    for parameter in late:
        parameter.grad = torch.full((2, 2), 0.3)
    optimizer.step()
    adamw.step()
    assert torch.equal(*late)


def test_names_that_the_model_does_not_have_are_refused():
    """Such as those of a model that another one holds now: its embedding would silently be Muon's."""
    with pytest.raises(ValueError, match=r"no parameters named \['0.weight'\].*'net.0.weight'"):
        MuonWithAdamW(nn.ModuleDict({"net": made()}), ["0.weight"], lr=0.1, weight_decay=0.1)


def test_a_closure_is_called_with_gradients():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    optimizer = MuonWithAdamW(model, ["0.weight"], lr=0.01, weight_decay=0.1)

    def closure():
        optimizer.zero_grad()
        loss = model(torch.ones(2, 3)).square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) > optimizer.step(closure)
