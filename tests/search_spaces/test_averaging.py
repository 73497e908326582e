"""The average of the weights of a run, beside the sum that it is."""

import math
import pickle

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from search_spaces.averaging import averaged_model

STEPS, FRACTION = 40, 0.15


class Whole(nn.Module):
    """A weight, and buffers of other types, such as the positions of a Swin transformer."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        self.register_buffer("positions", torch.arange(200))
        self.register_buffer("mask", torch.tensor([True, False]))


def run_of(model, averaged):
    """The weights after each step."""
    generator, history = torch.Generator().manual_seed(0), []
    for _ in range(STEPS):
        with torch.no_grad():
            model.weight.add_(torch.randn(3, dtype=torch.float64, generator=generator))
        averaged.update_parameters(model)
        history.append(model.weight.detach().clone())
    return history


def test_it_is_the_weighted_sum_over_the_run():
    """Weights that are as old as the fraction of the run count 1/e of the last; the first ones have what is left."""
    model = Whole()
    averaged = averaged_model(model, STEPS, FRACTION)
    history = run_of(model, averaged)
    shares = [math.exp(-age / (FRACTION * STEPS)) for age in reversed(range(STEPS))]
    new = 1 - math.exp(-1 / (FRACTION * STEPS))
    shares = [shares[0], *(new * share for share in shares[1:])]
    assert sum(shares) == pytest.approx(1)
    expected = sum(share * weight for share, weight in zip(shares, history, strict=True))
    torch.testing.assert_close(averaged.module.weight.detach(), expected, rtol=1e-12, atol=1e-12)


def test_it_is_torchs_average():
    first, second = Whole(), Whole()
    ours = averaged_model(first, STEPS, FRACTION)
    torchs = AveragedModel(second, multi_avg_fn=get_ema_multi_avg_fn(math.exp(-1 / (FRACTION * STEPS))))
    run_of(first, ours)
    run_of(second, torchs)
    torch.testing.assert_close(ours.module.weight, torchs.module.weight, rtol=1e-12, atol=1e-12)


def test_whole_numbers_stay_what_they_are():
    """Torch's own average, with these buffers, makes 54 of them smaller."""
    model = Whole()
    averaged = averaged_model(model, 95, 0.1)
    run_of(model, averaged)
    assert torch.equal(averaged.module.positions, model.positions)
    assert torch.equal(averaged.module.mask, model.mask)


def test_it_is_pickled_and_goes_on_as_before():
    """Checkpoints of whole models are pickled, and so are models that are sent to another process."""
    model = Whole()
    averaged = averaged_model(model, STEPS, FRACTION)
    run_of(model, averaged)
    again = pickle.loads(pickle.dumps(averaged))
    before = averaged.module.weight.clone()
    model.weight.data += 1
    for one in (averaged, again):
        one.update_parameters(model)
    assert torch.equal(again.module.weight, averaged.module.weight)
    assert not torch.equal(again.module.weight, before)
