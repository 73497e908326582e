"""timm's flags: its own scheduler, made of them, gives the rates of the schedule, epoch by epoch."""

import argparse

import optuna
import pytest
import torch

from search_spaces import REX, SGD_PEAK_LR, WSD, Constant, Cosine, Plateau, suggest
from study.training import timm_flags as module
from study.training.timm_flags import MAPS, WSD_SINCE, timm_flags, timm_obstacle, timm_version

KINDS = {"decay-milestones": int, "epochs": int, "warmup-epochs": int, "sched": str, "lr-decay-fn": str}
NUMBERS = ("lr", "min-lr", "warmup-lr", "decay-epochs", "decay-rate")


def parsed(words):
    """As timm's train.py reads them, which passes on what is given."""
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    for name, kind in (KINDS | dict.fromkeys(NUMBERS, float)).items():
        parser.add_argument(f"--{name}", type=kind, nargs="+" if name == "decay-milestones" else None)
    parser.add_argument("--warmup-prefix", action="store_true")
    return parser.parse_args(words)


def drawn(family, number=20):
    """Schedules from all over the range that is searched."""
    optuna_study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [suggest(optuna_study.ask(), [family], SGD_PEAK_LR) for _ in range(number)]


@pytest.mark.parametrize("epochs", [3, 20, 97])
@pytest.mark.parametrize("family", MAPS)
def test_timm_s_scheduler_gives_the_rates_of_the_schedule(family, epochs):
    """To 1e-9 of the peak."""
    scheduler_of = pytest.importorskip("timm.scheduler").create_scheduler
    if family == "wsd" and timm_version() < WSD_SINCE:
        pytest.skip("this timm has no wsd")
    compared = 0
    for schedule in drawn(family):
        words = timm_flags(schedule, epochs)
        if words is None:
            assert family == "cosine"
            assert schedule.t_max_fraction < 1
            continue
        flags = parsed(words)
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=flags.lr)
        scheduler, length = scheduler_of(flags, optimizer)
        assert length == epochs
        rates = []
        for epoch in range(length):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step(epoch + 1)
        expected = [float(rate) for rate in schedule.rates(epochs)]
        assert rates == pytest.approx(expected, rel=0, abs=1e-9 * schedule.peak_lr)
        compared += 1
    assert compared >= 5


def test_timm_ends_at_the_floor():
    schedule = WSD(peak_lr=0.2, floor_ratio=0.15, shape="linear")
    if timm_version() < WSD_SINCE:
        pytest.skip("this timm has no wsd")
    assert parsed(timm_flags(schedule, 20)).__dict__["min_lr"] == pytest.approx(0.03)
    assert timm_obstacle(WSD(peak_lr=0.2, shape="power")) == "timm has no flags for it"


def test_what_timm_has_not():
    for schedule in (REX(peak_lr=0.1), Plateau(peak_lr=0.1), Cosine(peak_lr=0.1, t_max_fraction=0.8, floor_ratio=0.1)):
        assert timm_flags(schedule, 20) is None
        assert timm_obstacle(schedule) == "timm has no flags for it"
    assert timm_obstacle(Cosine(peak_lr=0.1)) is None


@pytest.mark.parametrize(("installed", "has_it"), [("1.0.30", False), ("1.0.31", True), ("1.2.0.dev0", True)])
def test_wsd_is_for_a_timm_that_has_it(installed, has_it, monkeypatch):
    monkeypatch.setattr(module, "version", lambda package: installed)
    assert (timm_flags(WSD(peak_lr=0.1), 20) is not None) == has_it
    assert timm_flags(Constant(peak_lr=0.1), 20) is not None
    reason = None if has_it else "it needs timm 1.0.31 or newer, in this environment too"
    assert timm_obstacle(WSD(peak_lr=0.1)) == reason


def test_without_timm_here_its_version_is_not_known(monkeypatch):
    def missing(package):
        raise module.PackageNotFoundError

    monkeypatch.setattr(module, "version", missing)
    assert timm_version() == ()
    assert timm_flags(WSD(peak_lr=0.1), 20) is None
