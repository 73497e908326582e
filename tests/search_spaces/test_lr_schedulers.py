"""The result of `build` against torch's own schedulers, used like any LRScheduler."""

import io
import warnings
from importlib.util import find_spec

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR, LinearLR, LRScheduler, ReduceLROnPlateau

from search_spaces import EVERY_FAMILY, REX, Exponential, Plateau
from search_spaces.families.rex import rex
from tests.drawing import BUILT_FOR_ANY, optimizer_kept

every_kind_of_groups = pytest.mark.parametrize("groups", [[0.1], [0.1, 0.02]], ids=["equal", "unequal"])


def optimizer_with(rates):
    return torch.optim.SGD([{"params": [torch.zeros(1)], "lr": rate} for rate in rates], momentum=0.9)


def rates_of(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def with_warmup(family, **parameters):
    """A schedule of the family, with a warm-up unless it has its own."""
    warmup = {} if EVERY_FAMILY[family].has_own_warmup else {"warmup_fraction": 0.1}
    return EVERY_FAMILY[family](peak_lr=0.5, **warmup, **parameters)


@pytest.mark.parametrize("family", [name for name in BUILT_FOR_ANY if not EVERY_FAMILY[name].evaluations])
def test_equal_groups_show_what_torchs_scheduler_shows(family):
    """Attributes and methods, at each step: torch's own, for two equal groups."""
    schedule, (torchs, followed) = EVERY_FAMILY[family](peak_lr=0.5), [optimizer_with([0.5, 0.5]) for _ in range(2)]
    theirs = schedule.torch_class(torchs, **schedule.arguments(60))
    ours = schedule.build(followed, 60)
    for step in range(60):
        assert ours.last_epoch == theirs.last_epoch == step
        assert ours.base_lrs == theirs.base_lrs
        assert ours.get_last_lr() == ours.get_lr() == theirs.get_last_lr() == rates_of(followed)
        assert [group["momentum"] for group in followed.param_groups] == [
            group["momentum"] for group in torchs.param_groups
        ]
        for name in ("T_max", "eta_min", "gamma", "milestones", "T_cur", "total_steps", "mode"):
            assert hasattr(ours, name) >= hasattr(theirs, name)
            assert name == "total_steps" or getattr(ours, name, None) == getattr(theirs, name, None)
        for optimizer in (torchs, followed):
            optimizer.step()
        theirs.step()
        ours.step()


def test_steps_are_counted_as_torch_counts_them_and_nothing_else_of_torchs_is_saved():
    """Torch's `_last_lr` would be an old one."""
    torchs, ours = (make(optimizer_with([0.5])) for make in (LinearLR, lambda o: REX(peak_lr=0.5).build(o, 60)))
    for _ in range(4):
        state = ours.state_dict()
        assert {key: state[key] for key in state if key.startswith("_")} == {
            "_step_count": torchs.state_dict()["_step_count"]
        }
        for scheduler in (torchs, ours):
            scheduler.optimizer.step()
            scheduler.step()


def test_unequal_groups_show_what_torchs_scheduler_shows():
    """A LambdaLR keeps ratios by itself."""
    first, second = optimizer_with([0.5, 0.02]), optimizer_with([0.5, 0.02])
    torchs = LambdaLR(first, lambda step: rex(step, 60))
    ours = REX(peak_lr=0.5).build(second, 60)
    for step in range(60):
        assert ours.last_epoch == torchs.last_epoch == step
        assert ours.base_lrs == pytest.approx(torchs.base_lrs, rel=1e-12)
        assert ours.get_last_lr() == pytest.approx(torchs.get_last_lr(), rel=1e-12)
        assert ours.get_last_lr() == ours.get_lr() == rates_of(second)
        for optimizer, scheduler in ((first, torchs), (second, ours)):
            optimizer.step()
            scheduler.step()


def test_plateau_shows_what_torchs_warmup_shows_and_then_torchs_plateau():
    losses = [0.5, 0.6, 0.6, 0.6, 0.6, 0.4, 0.4, 0.4, 0.4]
    optimizers = [optimizer_with([0.5, 0.5]) for _ in range(3)]
    ours = Plateau(peak_lr=0.5, warmup_fraction=0.1, patience_fraction=0.1, evaluations=20).build(optimizers[0], 100)
    warmup = LinearLR(optimizers[1], 1 / 11, 1.0, 10)
    plateau = ReduceLROnPlateau(optimizers[2], factor=0.1, patience=2, threshold=1e-4)
    for step in range(10):
        assert ours.last_epoch == warmup.last_epoch == step
        assert ours.base_lrs == warmup.base_lrs == [0.5, 0.5]
        assert ours.get_last_lr() == ours.get_lr() == warmup.get_last_lr() == rates_of(optimizers[0])
        for optimizer in optimizers:
            optimizer.step()
        ours.step()
        warmup.step()
        if ours.last_epoch < 10:
            ours.observe(0.0)  # within the warm-up it must not count: no later loss would be an improvement
    for loss in losses:
        ours.observe(loss)
        plateau.step(loss)
        assert ours.get_last_lr() == ours.get_lr() == pytest.approx(plateau.get_last_lr(), rel=1e-12)
        assert ours.get_last_lr() == rates_of(optimizers[0])
    assert ours.get_last_lr() == pytest.approx([0.005, 0.005]), "two reductions, or the test shows little"
    assert ours.last_epoch == 10
    assert ours.base_lrs == [0.5, 0.5]


def advance(optimizer, scheduler, steps, observes):
    """The rates at these steps; plateau observes a loss after every third."""
    rates = []
    for step in steps:
        rates.append(rates_of(optimizer))
        optimizer.step()
        scheduler.step()
        if observes and step % 3 == 0:
            scheduler.observe(1.0)
    return rates


def shows(scheduler):
    """What it says of itself; torch's SequentialLR has no base_lrs."""
    return scheduler.last_epoch, scheduler.get_last_lr(), getattr(scheduler, "base_lrs", None)


@optimizer_kept
@every_kind_of_groups
def test_a_saved_scheduler_goes_on_where_it_was(family, groups):
    schedule = with_warmup(family)

    def start():
        optimizer = optimizer_with(groups)
        return optimizer, schedule.build(optimizer, 60)

    whole = advance(*start(), range(60), schedule.evaluations)
    optimizer, scheduler = start()
    first = advance(optimizer, scheduler, range(25), schedule.evaluations)
    kept = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], kept)
    kept.seek(0)
    saved_optimizer, saved_scheduler = torch.load(kept, weights_only=True)
    shown = shows(scheduler)
    # Torch's order: the scheduler is built first, then the optimizer's state is loaded.
    optimizer, scheduler = start()
    optimizer.load_state_dict(saved_optimizer)
    scheduler.load_state_dict(saved_scheduler)
    assert shows(scheduler) == shown == (25, rates_of(optimizer), shown[2])
    assert first + advance(optimizer, scheduler, range(25, 60), schedule.evaluations) == whole


@optimizer_kept
@every_kind_of_groups
def test_frameworks_find_an_lr_scheduler(family, groups):
    """Lightning refuses others, and both it and transformers read the last rates."""
    optimizer = optimizer_with(groups)
    scheduler = EVERY_FAMILY[family](peak_lr=0.5).build(optimizer, 60)
    assert isinstance(scheduler, LRScheduler)
    assert scheduler.optimizer is optimizer
    for step in range(3):
        assert scheduler.last_epoch == step
        assert scheduler.get_last_lr() == rates_of(optimizer)
        optimizer.step()
        scheduler.step()


def test_steps_before_the_optimizers_are_warned_of_as_torch_does():
    scheduler = Plateau(peak_lr=0.5).build(optimizer_with([0.5]), 10)
    with pytest.warns(UserWarning, match="call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        scheduler.step()


@pytest.mark.filterwarnings("ignore:the scheduler has observed no loss")
@pytest.mark.skipif(find_spec("accelerate") is None, reason="accelerate is not installed: pip install -e '.[examples]'")
@pytest.mark.parametrize("schedule", [Exponential(peak_lr=0.5), Plateau(peak_lr=0.5)], ids=lambda s: s.family)
@every_kind_of_groups
def test_accelerate_accumulates_gradients_with_it(schedule, groups):
    """Accelerate moves the scheduler only with the optimizer, and in between raises its private count of steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from accelerate import Accelerator
        from accelerate.utils import GradientAccumulationPlugin

        accelerator = Accelerator(cpu=True, gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=2))
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(
        [{"params": [p], "lr": rate} for p, rate in zip(model.parameters(), groups, strict=False)]
    )
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, schedule.build(optimizer, 10))
    rates = []
    for _ in range(20):
        with accelerator.accumulate(model):
            rates.append(scheduler.get_last_lr()[0])
            accelerator.backward(model(torch.ones(1, 1)).sum())
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    expected = [lr for lr, _ in schedule.simulate(10) for _ in range(2)]
    assert rates == pytest.approx(expected, rel=1e-12)
    assert scheduler.scheduler.last_epoch == 10
