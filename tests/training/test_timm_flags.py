"""timm's flags: its own scheduler, made of them, gives the rates of the schedule, epoch by epoch."""

import argparse

import pytest
import torch

from search_spaces import REX, Constant, Cosine, Linear, MultiStep, Plateau, Polynomial, Step
from study.training.timm_flags import timm_flags

EPOCHS = 20


def parsed(words):
    """As timm's train.py reads them."""
    parser = argparse.ArgumentParser()
    for name, kind in {"epochs": int, "lr": float, "min-lr": float, "warmup-lr": float, "warmup-epochs": int}.items():
        parser.add_argument(f"--{name}", type=kind, default=0)
    parser.add_argument("--sched")
    parser.add_argument("--decay-epochs", type=float)
    parser.add_argument("--decay-milestones", type=int, nargs="+")
    parser.add_argument("--decay-rate", type=float)
    parser.add_argument("--warmup-prefix", action="store_true")
    return parser.parse_args(words)


@pytest.mark.parametrize("warmup_fraction", [0.0, 0.2])
@pytest.mark.parametrize(
    ("family", "own"),
    [
        (Constant, {}),
        (Step, {"step_size_fraction": 0.3, "gamma": 0.4}),
        (MultiStep, {"gamma": 0.3}),
        (Polynomial, {"power": 2.5}),
        (Linear, {"end_ratio": 0.1}),
        (Cosine, {"t_max_fraction": 1.0, "floor_ratio": 0.05}),
    ],
)
def test_timm_s_scheduler_gives_the_rates_of_the_schedule(family, own, warmup_fraction):
    scheduler_of = pytest.importorskip("timm.scheduler").create_scheduler
    schedule = family(peak_lr=0.3, warmup_fraction=warmup_fraction, **own)
    flags = parsed(timm_flags(schedule, EPOCHS))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=flags.lr)
    scheduler, epochs = scheduler_of(flags, optimizer)
    assert epochs == EPOCHS
    rates = []
    for epoch in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step(epoch + 1)
    assert rates == pytest.approx([float(rate) for rate in schedule.rates(EPOCHS)])


def test_what_timm_has_not():
    for schedule in (REX(peak_lr=0.1), Plateau(peak_lr=0.1), Cosine(peak_lr=0.1, t_max_fraction=0.8, floor_ratio=0.1)):
        assert timm_flags(schedule, EPOCHS) is None
