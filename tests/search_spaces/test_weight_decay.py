"""The weight decay of optimizers: groups keep their ratio, and ranges hold what is usual."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.imported import import_named
from search_spaces.usual_weight_decay import USUAL
from search_spaces.weight_decay import own_weight_decay, usual_weight_decay, with_weight_decay
from study.workloads.names import LANGUAGE_OPTIMIZERS, OPTIMIZERS

DECAYS = st.floats(1e-6, 100.0)


def adamw(*decays):
    return torch.optim.AdamW([{"params": [torch.zeros(1)], "weight_decay": one} for one in decays], lr=1.0)


def decays_of(optimizer):
    return [group["weight_decay"] for group in optimizer.param_groups]


@given(st.lists(st.one_of(st.just(0.0), DECAYS), min_size=1, max_size=4).filter(any), DECAYS)
def test_groups_keep_their_ratio_and_those_without_stay_without(decays, weight_decay):
    optimizer = with_weight_decay(adamw(*decays), weight_decay)
    found = decays_of(optimizer)
    assert max(found) == own_weight_decay(optimizer) == weight_decay, "to the last bit"
    assert found == pytest.approx([one / max(decays) * weight_decay for one in decays])
    assert [one == 0 for one in found] == [one == 0 for one in decays]


@given(DECAYS)
def test_its_own_weight_decay_changes_nothing(weight_decay):
    assert decays_of(with_weight_decay(adamw(weight_decay, 0.0), weight_decay)) == [weight_decay, 0.0]


def test_what_has_no_weight_decay_is_left_alone():
    optimizer = with_weight_decay(torch.optim.Rprop([torch.zeros(1)]), 0.1)
    assert own_weight_decay(optimizer) == 0
    assert "weight_decay" not in optimizer.param_groups[0]
    assert decays_of(with_weight_decay(adamw(0.0), 0.1)) == [0.0]


@pytest.mark.parametrize("choice", [*OPTIMIZERS.values(), *LANGUAGE_OPTIMIZERS.values()], ids=lambda one: one.made_by)
def test_the_range_of_a_built_in_optimizer_holds_its_default(choice):
    low, high = USUAL[choice.made_by.rpartition(".")[2]]
    assert low < choice.weight_decay < high


def test_lions_range_is_ten_times_that_of_adamw():
    assert USUAL["Lion"] == pytest.approx([10 * end for end in USUAL["AdamW"]])


@given(DECAYS)
def test_another_optimizer_is_searched_around_its_own(weight_decay):
    nadam = torch.optim.NAdam([torch.zeros(1)], weight_decay=weight_decay)
    low, high = usual_weight_decay(nadam)
    assert 0 < low < weight_decay < high
    assert low * high == pytest.approx(weight_decay**2)
    assert usual_weight_decay(torch.optim.SGD([torch.zeros(1)], weight_decay=weight_decay)) == USUAL["SGD"]


def test_muon_and_its_adamw_have_one_weight_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
    make = import_named("search_spaces.muon:MuonWithAdamW")
    optimizer = with_weight_decay(make(model, ["0.weight", "2.weight"], lr=0.1, weight_decay=0.1), 0.03)
    before = [one.detach().clone() for one in model.parameters()]
    for one in model.parameters():
        one.grad = torch.zeros_like(one)
    optimizer.step()
    for old, new in zip(before, model.parameters(), strict=True):
        kept = 1 - 0.1 * 0.03 if old.ndim == 2 else 1.0  # vectors do not decay
        torch.testing.assert_close(new.detach(), old * kept)
