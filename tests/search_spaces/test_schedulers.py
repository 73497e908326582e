"""What `build` returns goes wherever torch's own schedulers go: groups, tensors, checkpoints, past the end."""

import copy
import io
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, ReduceLROnPlateau, StepLR

from search_spaces import EVERY_FAMILY, FAMILIES, REX, WSD, Cosine, InputError, OneCycle, Plateau, Step, suggest
from search_spaces.export import Exported, torch_code
from search_spaces.schedule import evaluation_steps
from tests.drawing import PEAK_LR, DrawingTrial, optimizer_kept
from tests.drawing import properties as thorough

properties = settings(thorough, max_examples=10)  # in each of many combinations

not_observed = pytest.mark.filterwarnings("ignore:the scheduler has observed no loss")
past_the_end = pytest.mark.filterwarnings("ignore:scheduler.step.. was called more than")


def optimizer_with(*rates, kind=torch.optim.SGD, **arguments):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(2))], "lr": rate} for rate in rates]
    return kind(groups, **arguments)


def rates_of(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def go(optimizer, scheduler, steps):
    """The rates at these steps."""
    held = []
    for _ in range(steps):
        held.append(rates_of(optimizer))
        optimizer.step()
        scheduler.step()
    return held


def exported(schedule):
    """Builds as exported code does."""
    made = {}
    exec(torch_code(Exported(schedule, "torch.optim.SGD(model.parameters(), lr={lr})")), made)
    evaluations = [schedule.evaluations] if schedule.evaluations else []
    return lambda optimizer, total_steps: made["make_scheduler"](optimizer, total_steps, *evaluations)


both_ways = pytest.mark.parametrize("way", [lambda schedule: schedule.build, exported], ids=["build", "exported"])


@both_ways
@not_observed
@optimizer_kept
@properties
@given(data=st.data(), total_steps=st.integers(3, 60), more=st.integers(1, 40))
def test_one_update_too_many_and_more_keep_the_last_rate(way, family, data, total_steps, more):
    """A loader that keeps its last batch makes more steps than were counted (torchtitan#1261, OLMo-core#419)."""
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    optimizer = optimizer_with(0.1, 0.02, momentum=0.9)
    scheduler = way(schedule)(optimizer, total_steps)
    held = go(optimizer, scheduler, total_steps)
    last = rates_of(optimizer)
    assert held[-1][0] == pytest.approx(schedule.rates(total_steps, *([[]] if schedule.evaluations else []))[-1])
    with pytest.warns(UserWarning, match=f"more than {total_steps} times, the total_steps it was built for") as said:
        assert go(optimizer, scheduler, more) == [last] * more
    assert len(said) == 1
    assert rates_of(optimizer) == last
    assert min(last) >= 0
    assert scheduler.last_epoch == total_steps + more


@past_the_end
@pytest.mark.parametrize(
    "schedule", [REX(peak_lr=0.5), *(WSD(peak_lr=0.5, shape=s) for s in ("linear", "1-sqrt", "cosine"))]
)
def test_what_decays_to_zero_is_zero_from_the_planned_end_on(schedule):
    optimizer = optimizer_with(1.0)
    assert go(optimizer, schedule.build(optimizer, 300), 320)[300:] == [[0.0]] * 20


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_stays_at_its_end_instead_of_going_on_below(strategy):
    schedule = OneCycle(peak_lr=0.5, anneal_strategy=strategy, end_ratio=0.01, cycle_momentum=False)
    optimizer = optimizer_with(1.0)
    go(optimizer, schedule.build(optimizer, 100), 100)
    assert rates_of(optimizer) == pytest.approx([0.005])


@both_ways
@not_observed
@optimizer_kept
@properties
@given(data=st.data(), at=st.integers(0, 39), ratio=st.floats(0.01, 2.0), unequal=st.booleans())
def test_a_group_that_is_added_while_training_keeps_its_ratio(way, family, data, at, ratio, unequal):
    """Unfreezing (Lightning#12141); torch's own schedulers show the rates of the others."""
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    curve = [lr for lr, _ in schedule.simulate(40)]
    first = [0.1, 0.03] if unequal else [0.1, 0.1]
    optimizer = optimizer_with(*first, momentum=0.9)
    scheduler = way(schedule)(optimizer, 40)
    held = go(optimizer, scheduler, at)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": ratio * curve[at]})
    held += go(optimizer, scheduler, 40 - at)
    for step, rates in enumerate(held):
        ratios = [1.0, first[1] / first[0], ratio][: len(rates)]
        assert rates == pytest.approx([curve[step] * one for one in ratios], rel=1e-9, abs=1e-15)
    assert len(held[-1]) == len(scheduler.base_lrs) == len(scheduler.get_last_lr()) == 3


@pytest.mark.parametrize(
    ("schedule", "torchs"),
    [
        (Step(peak_lr=0.1, step_size_fraction=0.25), lambda optimizer: StepLR(optimizer, 10)),
        (Cosine(peak_lr=0.1), lambda optimizer: CosineAnnealingLR(optimizer, 40)),
    ],
)
def test_a_group_that_is_added_gets_what_torch_gives_it(schedule, torchs):
    optimizers = [optimizer_with(0.1) for _ in range(2)]
    schedulers = [schedule.build(optimizers[0], 40), torchs(optimizers[1])]
    held = []
    for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
        go(optimizer, scheduler, 7)
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.05})
        held.append(go(optimizer, scheduler, 30))
    np.testing.assert_allclose(held[0], held[1], rtol=1e-12)


@both_ways
@not_observed
@optimizer_kept
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_a_rate_that_is_a_tensor_stays_the_same_tensor(way, family, kind):
    """A captured CUDA graph reads it (pytorch#163093)."""
    schedule = EVERY_FAMILY[family](peak_lr=0.1)
    given_rates = [torch.tensor(1e-3), torch.tensor(5e-4), 1e-3]
    momentum = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    optimizer = optimizer_with(*given_rates, kind=kind, foreach=False, **momentum)
    scheduler = way(schedule)(optimizer, 20)
    for lr in [lr for lr, _ in schedule.simulate(20)]:
        held = [group["lr"] for group in optimizer.param_groups]
        assert held[0] is given_rates[0]
        assert held[1] is given_rates[1]
        assert isinstance(held[2], float)
        assert [float(one) for one in held] == pytest.approx([lr, lr / 2, lr], rel=1e-6)
        shown = scheduler.get_last_lr()
        assert [type(one) for one in shown] == [torch.Tensor, torch.Tensor, float]
        assert shown[0] is not held[0]
        assert [float(one) for one in shown] == [float(one) for one in held]
        optimizer.step()
        scheduler.step()


def saved(optimizer, scheduler):
    """Both states, through a file."""
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    return torch.load(file, weights_only=True)


ORDERS = {
    "scheduler built first": ("build", "optimizer", "scheduler"),
    "optimizer loaded first": ("optimizer", "build", "scheduler"),
    "optimizer loaded last": ("build", "scheduler", "optimizer"),
}


def resume(build, rates, states, total_steps, order, **arguments):
    """(optimizer, scheduler) of a new process that does these things in this order."""
    optimizer = optimizer_with(*rates, **arguments)
    for what in order:
        if what == "build":
            scheduler = build(optimizer, total_steps)
        elif what == "optimizer":
            optimizer.load_state_dict(states[0])
        else:
            scheduler.load_state_dict(states[1])
    return optimizer, scheduler


@both_ways
@not_observed
@optimizer_kept
@properties
@given(
    data=st.data(),
    at=st.integers(0, 40),
    order=st.sampled_from(list(ORDERS)),
    rates=st.sampled_from([[0.3], [0.3, 0.1]]),
)
def test_a_run_is_resumed_in_any_order(way, family, order, rates, data, at):
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    build = way(schedule)
    optimizer = optimizer_with(*rates, momentum=0.9)
    whole = go(optimizer, build(optimizer, 40), 40)
    optimizer = optimizer_with(*rates, momentum=0.9)
    scheduler = build(optimizer, 40)
    go(optimizer, scheduler, at)
    momenta = [group["momentum"] for group in optimizer.param_groups]
    optimizer, scheduler = resume(build, rates, saved(optimizer, scheduler), 40, ORDERS[order], momentum=0.9)
    assert scheduler.last_epoch == at
    assert [group["momentum"] for group in optimizer.param_groups] == momenta
    assert go(optimizer, scheduler, 40 - at) == whole[at:]


@pytest.mark.parametrize(
    "torchs", [lambda o: StepLR(o, 5), lambda o: ExponentialLR(o, 0.9), lambda o: CosineAnnealingLR(o, 40)]
)
def test_torchs_own_schedulers_are_resumed_in_the_order_that_ours_was_not(torchs):
    """The yardstick of the test above: what is asked of ours is what torch's do."""
    optimizer = optimizer_with(0.3)
    whole = go(optimizer, torchs(optimizer), 40)
    optimizer = optimizer_with(0.3)
    scheduler = torchs(optimizer)
    go(optimizer, scheduler, 8)
    build = lambda optimizer, total_steps: torchs(optimizer)  # noqa: E731
    optimizer, scheduler = resume(build, [0.3], saved(optimizer, scheduler), 40, ORDERS["optimizer loaded first"])
    assert go(optimizer, scheduler, 32) == whole[8:]


@both_ways
@past_the_end
@not_observed
@optimizer_kept
@properties
@given(data=st.data(), at=st.integers(0, 20), other=st.integers(10, 60), order=st.sampled_from(list(ORDERS)[:2]))
def test_a_checkpoint_goes_on_in_a_run_of_another_length(way, family, order, data, at, other):
    """With the rates of that run from there on, not back at the peak, nor below 0 (transformers#27749)."""
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    build = way(schedule)
    optimizer = optimizer_with(0.3, 0.1, momentum=0.9)
    expected = go(optimizer, build(optimizer, other), max(other, at) + 1)[at:]
    optimizer = optimizer_with(0.3, 0.1, momentum=0.9)
    scheduler = build(optimizer, 20)
    go(optimizer, scheduler, at)
    optimizer, scheduler = resume(build, [0.3, 0.1], saved(optimizer, scheduler), other, ORDERS[order], momentum=0.9)
    found = go(optimizer, scheduler, max(other, at) + 1 - at)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@both_ways
@not_observed
@optimizer_kept
@pytest.mark.parametrize("order", list(ORDERS.values())[:2], ids=list(ORDERS)[:2])
@pytest.mark.parametrize("wrapped", [False, True], ids=["equal groups", "unequal groups"])
def test_a_checkpoint_of_an_earlier_version_goes_on(way, family, order, wrapped):
    """It holds the state of torch's scheduler; for unequal groups, that of a wrapper around it."""
    schedule = EVERY_FAMILY[family](
        peak_lr=0.3, **({} if EVERY_FAMILY[family].has_own_warmup else {"warmup_fraction": 0.1})
    )
    rates = [0.3, 0.1] if wrapped else [0.3]
    optimizer = optimizer_with(*rates, momentum=0.9)
    whole = go(optimizer, way(schedule)(optimizer, 40), 40)
    optimizer, stand_in = (optimizer_with(*these, momentum=0.9) for these in (rates, [0.3]))
    warmup, steps = schedule.split(40)
    torchs = schedule.assemble(schedule.torch_class, warmup, schedule.arguments(steps), stand_in)
    go(stand_in, torchs, 15)
    state = {"last_epoch": 15, **torchs.state_dict()}
    if wrapped:
        state = {"scheduler": state, "lr": stand_in.param_groups[0]["lr"], "ratios": [1.0, 1 / 3], "last_epoch": 15}
    optimizer, scheduler = resume(way(schedule), rates, [optimizer.state_dict(), state], 40, order, momentum=0.9)
    assert scheduler.last_epoch == 15
    np.testing.assert_allclose(go(optimizer, scheduler, 25), whole[15:], rtol=1e-12)


def test_a_reduced_plateau_of_an_earlier_version_stays_reduced():
    schedule, stand_in = Plateau(peak_lr=0.3, factor=0.5, patience_fraction=0.1, evaluations=20), optimizer_with(0.3)
    torchs = schedule.assemble(schedule.torch_class, 0, schedule.arguments(20), stand_in)
    for loss in [1.0, 1.1, 1.1, 1.1, 1.1]:
        go(stand_in, torchs, 1)
        torchs.observe(loss)
    optimizer = optimizer_with(0.3)
    scheduler = schedule.build(optimizer, 20)
    scheduler.load_state_dict({"last_epoch": 5, **torchs.state_dict()})
    assert rates_of(optimizer) == rates_of(stand_in) == [0.15]
    assert (scheduler.best, scheduler.num_bad_epochs, scheduler.observed) == (1.0, 1, 5)


@pytest.mark.parametrize(
    ("schedule", "state", "said"),
    [
        (Cosine(peak_lr=0.1), {"param_groups": []}, "last_epoch, the number of its steps, is missing"),
        (Plateau(peak_lr=0.1), {"last_epoch": 3}, "it is that of another schedule"),
    ],
)
def test_what_is_no_state_of_a_scheduler_is_one_message(schedule, state, said):
    with pytest.raises(InputError, match=said):
        schedule.build(optimizer_with(0.1), 10).load_state_dict(state)


@pytest.mark.parametrize("order", list(ORDERS.values())[:2], ids=list(ORDERS)[:2])
def test_a_plateau_that_was_reduced_stays_so_in_a_longer_run(order):
    """The rate, the best loss and the losses without improvement count; the patience is that of the longer run."""
    short, long = (Plateau(peak_lr=0.3, factor=0.5, patience_fraction=0.1, evaluations=n) for n in (20, 60))
    optimizer = optimizer_with(0.3)
    scheduler = short.build(optimizer, 20)
    for loss in [1.0, 1.1, 1.1, 1.1, 1.1]:
        go(optimizer, scheduler, 1)
        scheduler.observe(loss)
    assert rates_of(optimizer) == [0.15]
    optimizer, scheduler = resume(long.build, [0.3], saved(optimizer, scheduler), 60, order)
    assert (rates_of(optimizer), scheduler.patience, scheduler.best, scheduler.num_bad_epochs) == ([0.15], 6, 1.0, 1)
    torchs = ReduceLROnPlateau(optimizer_with(0.15), factor=0.5, patience=6, threshold=1e-4)
    torchs.best, torchs.num_bad_epochs = 1.0, 1
    for _ in range(12):
        go(optimizer, scheduler, 1)
        scheduler.observe(1.1)
        torchs.step(1.1)
        assert rates_of(optimizer) == torchs.get_last_lr()
    assert rates_of(optimizer) == [0.075]


def test_a_group_that_was_added_is_resumed_before_it_is_added_again():
    def unfrozen(optimizer):
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.02})

    optimizer = optimizer_with(0.1)
    scheduler = Cosine(peak_lr=0.1).build(optimizer, 20)
    go(optimizer, scheduler, 5)
    unfrozen(optimizer)
    go(optimizer, scheduler, 5)
    states = saved(optimizer, scheduler)
    rest = go(optimizer, scheduler, 10)
    again = optimizer_with(0.1)
    scheduler = Cosine(peak_lr=0.1).build(again, 20)
    scheduler.load_state_dict(states[1])
    unfrozen(again)
    again.load_state_dict(states[0])
    assert go(again, scheduler, 10) == rest


@both_ways
def test_at_the_end_of_a_run_the_rates_are_zero_and_the_next_run_is_built_all_the_same(way):
    optimizer = optimizer_with(0.1, 0.02)
    go(optimizer, way(REX(peak_lr=0.1))(optimizer, 10), 10)
    assert rates_of(optimizer) == [0.0, 0.0]
    way(REX(peak_lr=0.5))(optimizer, 10)
    assert rates_of(optimizer) == pytest.approx([0.5, 0.1])


@both_ways
@optimizer_kept
@pytest.mark.parametrize("total_steps", [np.int64(150), 150.0, np.float32(150), torch.tensor(150)], ids=str)
def test_whole_numbers_of_any_kind_are_total_steps(way, family, total_steps):
    schedule = EVERY_FAMILY[family](peak_lr=0.1)
    optimizers = [optimizer_with(1.0, momentum=0.9) for _ in range(2)]
    found, expected = (way(schedule)(o, total) for o, total in zip(optimizers, (total_steps, 150), strict=True))
    assert found.state_dict() == expected.state_dict()
    losses = [[]] if schedule.evaluations else []
    np.testing.assert_array_equal(schedule.rates(total_steps, *losses), schedule.rates(150, *losses))
    assert schedule.simulate(total_steps) == schedule.simulate(150)


@optimizer_kept
@pytest.mark.parametrize("total_steps", [float("inf"), float("nan"), 2.5, -1, True, "10", None], ids=str)
def test_no_whole_number_of_steps_is_one_message(family, total_steps):
    """Lightning's trainer counts inf steps if its run has no end; transformers' -1."""
    schedule = EVERY_FAMILY[family](peak_lr=0.1)
    losses = [[]] if schedule.evaluations else []
    optimizer = optimizer_with(1.0, momentum=0.9)
    for use in (lambda: schedule.build(optimizer, total_steps), lambda: schedule.rates(total_steps, *losses)):
        with pytest.raises(InputError, match="total_steps must be a whole number of at least 1"):
            use()


def test_exported_code_refuses_an_endless_run():
    with pytest.raises(ValueError, match="rex needs total_steps to be a whole number >= 1, but inf was given"):
        exported(REX(peak_lr=0.1))(optimizer_with(1.0), float("inf"))


@both_ways
def test_momentum_that_is_not_there_is_not_cycled_by_exported_code_either(way):
    with pytest.raises(Exception, match="one_cycle with cycle_momentum=True needs an optimizer with momentum"):
        way(OneCycle(peak_lr=0.1, cycle_momentum=True))(optimizer_with(1.0), 10)


@both_ways
def test_a_plateau_that_is_never_given_a_loss_says_so_once(way):
    optimizer = optimizer_with(0.1)
    scheduler = way(Plateau(peak_lr=0.1))(optimizer, 100)
    go(optimizer, scheduler, 10)
    with pytest.warns(
        UserWarning, match="observed no loss in 1. of 100 steps, so the learning rate is constant"
    ) as said:
        go(optimizer, scheduler, 90)
    assert len(said) == 1


@properties
@given(total_steps=st.integers(1, 300), evaluations=st.integers(1, 40), warmup=st.sampled_from([0.0, 0.2]))
def test_a_plateau_that_is_given_its_losses_says_nothing(total_steps, evaluations, warmup):
    schedule = Plateau(peak_lr=0.1, evaluations=evaluations, warmup_fraction=warmup)
    optimizer = optimizer_with(0.1)
    scheduler = schedule.build(optimizer, total_steps)
    due = evaluation_steps(total_steps, evaluations)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(1, total_steps + 1):
            go(optimizer, scheduler, 1)
            if step in due:
                scheduler.observe(1.0)


def test_exported_plateau_is_patient_for_a_share_of_the_evaluations_of_its_own_run():
    schedule = Plateau(peak_lr=0.1, patience_fraction=0.1)
    code = torch_code(Exported(schedule, "torch.optim.SGD(model.parameters(), lr={lr})"))
    assert "make_scheduler(optimizer, total_steps, evaluations)" in code
    made = {}
    exec(code, made)
    assert made["make_scheduler"](optimizer_with(0.1), 1000, 100).patience == 10
    with pytest.raises(TypeError, match="evaluations"):
        made["make_scheduler"](optimizer_with(0.1), 1000)


@optimizer_kept
def test_a_scheduler_is_copied_and_pickled(family):
    schedule = EVERY_FAMILY[family](peak_lr=0.1)
    optimizer = optimizer_with(0.1, 0.05, momentum=0.9)
    scheduler = schedule.build(optimizer, 10)
    copied = copy.deepcopy(scheduler)
    assert copied.get_last_lr() == pickle.loads(pickle.dumps(scheduler)).get_last_lr() == rates_of(optimizer)


def test_suggest_draws_plateau_only_if_it_is_named():
    """Nobody passes it losses in a loop that was written for any schedule."""
    asked = {}

    class Trial:
        def suggest_categorical(self, name, choices):
            asked[name] = choices
            raise StopIteration

    for families in ([], [["plateau", "rex"]]):
        with pytest.raises(StopIteration):
            suggest(Trial(), *families)
        assert asked["family"] == (families[0] if families else [name for name in FAMILIES if name != "plateau"])


def test_a_plateau_that_observes_far_more_losses_than_it_was_made_for_says_so_once():
    optimizer = optimizer_with(0.1)
    scheduler = Plateau(peak_lr=0.1, evaluations=20).build(optimizer, 100)

    def train():
        for _ in range(100):
            go(optimizer, scheduler, 1)
            scheduler.observe(1.0)

    with pytest.warns(UserWarning, match="made for 20 evaluations in the whole run, but has observed 41") as said:
        train()
    assert len(said) == 1
