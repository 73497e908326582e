"""The training loop against a slow twin without schedulers or indexing, with learning rates from the formulas."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from search_spaces import Constant, Cosine, Greedy, Linear, OneCycle, Plateau
from study.objective import Metric, Run
from study.workloads.data import Split
from study.workloads.options import WorkloadOptions
from study.workloads.streamed import StreamedSplit
from tests import oracles
from tests.helpers import trainer

EPOCHS = 3


def net_with_everything():
    """Batch norm and dropout: what differs between training and evaluation, and draws random numbers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10)
    )


def slow_twin(workload, make_optimizer, rates, train_seed):
    """(loss, error) on validation after each epoch, by a loop that anyone would write."""
    torch.manual_seed(train_seed)
    model = workload.make_model()
    optimizer = make_optimizer(model.parameters())
    x, y = workload.data.train
    order = torch.Generator().manual_seed(train_seed)
    found, rates = [], iter(rates)
    for _ in range(EPOCHS):
        rows = torch.randperm(len(x), generator=order).tolist()
        while len(rows) >= workload.batch_size:
            batch, rows = rows[: workload.batch_size], rows[workload.batch_size :]
            loss = nn.functional.cross_entropy(model(torch.stack([x[i] for i in batch])), y[batch])
            for group in optimizer.param_groups:
                group["lr"] = next(rates)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            scores = model(workload.data.validation.x)
        wrong = (scores.argmax(1) != workload.data.validation.y).double().mean().item()
        found.append((nn.functional.cross_entropy(scores, workload.data.validation.y).item(), wrong))
        model.train()
    return found


@pytest.mark.parametrize(
    ("model", "weight_decay"),
    [("mlp", None), ("mlp", 0.03), ("cnn", None), ("transformer", None), ("net_with_everything", None)],
)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_loop_equals_its_slow_twin(model, weight_decay, optimizer, data_root):
    """weight_decay: of the run, in place of the workload's 1e-3."""
    own, decay = model == "net_with_everything", weight_decay or 1e-3
    workload = WorkloadOptions(
        "digits", model="mlp" if own else model, optimizer=optimizer, batch_size=64, weight_decay=1e-3
    ).load(data_root)
    # float64, so that another order of the same operations stays far from a tolerance.
    make_model = net_with_everything if own else workload.make_model
    train_split, validation = (Split(x.double(), y) for x, y in (workload.data.train, workload.data.validation))
    data = replace(workload.data, train=train_split, validation=validation)
    workload = replace(workload, data=data, make_model=lambda: make_model().double())
    peak = 0.1 if optimizer == "sgd" else 0.01
    total_steps = EPOCHS * (1079 // 64)
    rates = oracles.whole_run(lambda s, n: oracles.linear(s, n, 0.0), peak, total_steps, 0.1)
    make = {
        "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1.0, momentum=0.9, weight_decay=decay),
        "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1.0, weight_decay=decay),
    }[optimizer]
    schedule = Linear(peak_lr=peak, warmup_fraction=0.1)
    run = Run(schedule, EPOCHS, train_seed=3, evaluations=EPOCHS, weight_decay=weight_decay)
    found = list(trainer(workload).train([run]))
    twin = slow_twin(workload, make, rates, 3)
    assert [evaluation.loss for evaluation in found] == pytest.approx([loss for loss, _ in twin], rel=1e-9)
    assert [evaluation.metric for evaluation in found] == [pytest.approx(wrong) for _, wrong in twin]
    assert [evaluation.lr for evaluation in found] == pytest.approx([rates[16 * e - 1] for e in (1, 2, 3)])


@pytest.mark.parametrize(("epochs", "batch_size"), [(1, 64), (3, 50), (2, 1078)])
def test_no_update_is_taken_beyond_the_run(epochs, batch_size, data_root):
    workload = WorkloadOptions("digits", model="mlp", optimizer="sgd", batch_size=batch_size, weight_decay=0.0).load(
        data_root
    )
    taken = []

    def counted(model):
        optimizer = workload.make_optimizer(model)
        optimizer.register_step_post_hook(lambda *arguments: taken.append(optimizer.param_groups[0]["lr"]))
        return optimizer

    (last,) = trainer(replace(workload, make_optimizer=counted)).train(
        [Run(Linear(peak_lr=0.1), epochs, 0, evaluations=1)]
    )
    total_steps = epochs * (1078 // batch_size)
    assert taken == pytest.approx([0.1 * (1 - step / total_steps) for step in range(total_steps)])
    assert last.step == last.total_steps == total_steps


def test_momentum_is_read_back(workload):
    schedule = OneCycle(peak_lr=0.1, cycle_momentum=True)
    found = list(trainer(workload).train([Run(schedule, EPOCHS, 0, evaluations=6)]))
    curve = schedule.simulate(48)
    assert [(e.lr, e.momentum) for e in found] == [pytest.approx(curve[e.step - 1]) for e in found]


def test_each_run_is_seeded_by_itself(workload):
    def losses(*seeds):
        cohort = [Run(Cosine(peak_lr=0.1), 2, seed, evaluations=1) for seed in seeds]
        return [evaluation.loss for evaluation in trainer(workload).train(cohort)]

    together = losses(0, 1, 0)
    assert together[0] == together[2] == losses(0)[0], "the same seed, the same bits, whatever was trained before"
    assert together[0] != together[1], "the seed matters"


def test_the_callers_random_numbers_are_left_alone(workload):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    list(trainer(workload).train([Run(Constant(peak_lr=0.1), 1, 0, evaluations=1)]))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("peak_lr", [1e4, 1e30])
def test_a_diverged_run_stops_at_once(workload, peak_lr):
    runs = [
        Run(Constant(peak_lr=peak_lr), EPOCHS, 0, evaluations=EPOCHS),
        Run(Constant(peak_lr=0.1), 1, 0, evaluations=1),
    ]
    bad, good = trainer(workload).train(runs)
    assert bad.diverged
    assert bad.metric == workload.metric.worst
    assert bad.last
    assert bad.step < 16, "before the first evaluation is due"
    assert not good.diverged
    assert good.metric < 0.5


def test_a_stopped_run_is_trained_no_further(workload):
    stopped, found = set(), []
    runs = [Run(Constant(peak_lr=0.1), EPOCHS, seed, EPOCHS) for seed in (0, 1)]
    for evaluation in trainer(workload).train(runs, stopped.__contains__):
        found.append((evaluation.run, evaluation.step))
        if evaluation.run == 0:
            stopped.add(0)
    assert found == [(0, 16), (1, 16), (1, 32), (1, 48)]


def test_the_test_rows_are_not_touched_unless_asked(workload):
    blind = replace(workload, data=replace(workload.data, test=StreamedSplit(None)))  # nothing that could be read
    assert [e.test_metric for e in trainer(blind).train([Run(Constant(peak_lr=0.1), 1, 0, evaluations=2)])] == [
        None,
        None,
    ]
    asked = list(trainer(workload).train([Run(Constant(peak_lr=0.1), 2, 0, evaluations=2, test=True)]))
    assert asked[0].test_metric is None
    assert 0 < asked[1].test_metric < 0.5


def test_plateau_hears_the_validation_loss(workload):
    schedule = Plateau(peak_lr=0.5, factor=0.5, patience_fraction=0.05, evaluations=12)
    found = list(trainer(workload).train([Run(schedule, EPOCHS, 0, evaluations=1)]))
    assert len(found) == 12, "as often as the schedule listens, at every horizon"
    steps = [evaluation.step for evaluation in found]
    rates = oracles.plateau([e.loss for e in found], steps, 48, 0, 0.5, 0.5, 1, 1e-4, 0.0)
    assert [e.lr for e in found] == pytest.approx([rates[step - 1] for step in steps])
    assert rates[-1] < 0.5, "the rate must have fallen, or the test shows nothing"


def test_greedy_hears_the_validation_loss_alone_and_in_lockstep(workload):
    schedule = Greedy(peak_lr=0.5, factor=0.5, evaluations=24)
    run = Run(schedule, EPOCHS, 0, evaluations=1)
    for runs in ([run], [run, replace(run, schedule=replace(schedule, peak_lr=0.1))]):
        found = [one for one in trainer(workload, len(runs)).train(runs) if one.run == 0]
        rates = schedule.rates(48, [one.loss for one in found])
        assert [one.lr for one in found] == pytest.approx([rates[one.step - 1] for one in found])
        assert min(rates) < 0.5, "the rate must have fallen, or the test shows nothing"


def test_a_loss_below_zero_is_no_divergence(workload):
    """A constant taken from the loss changes no gradient."""
    lower = replace(workload, loss=partial(below, workload.loss))
    run = Run(Cosine(peak_lr=0.1), 2, train_seed=0, evaluations=4)
    expected, found = (list(trainer(one).train([run])) for one in (workload, lower))
    assert [one.metric for one in found] == [one.metric for one in expected]
    assert [one.loss for one in found] == pytest.approx([one.loss - 10 for one in expected], abs=1e-5)
    assert not found[-1].diverged


def below(loss, outputs, targets):
    return loss(outputs, targets) - 10


@pytest.mark.parametrize("cohort", [1, 2])
def test_averaged_weights_are_evaluated_and_at_the_end_the_raw_ones_too(cohort, data_root):
    """The training is the same, so raw values are those of the same run without an average."""
    options = WorkloadOptions("digits", model="mlp", batch_size=64)
    runs = [Run(Constant(peak_lr=lr), EPOCHS, 0, evaluations=EPOCHS, test=True) for lr in (0.3, 0.1)]
    without = list(trainer(options.load(data_root), cohort).train(runs))
    averaging = replace(options, average="ema", averaging_fraction=0.2)
    averaged = list(trainer(averaging.load(data_root), cohort).train(runs))
    for raw, found in zip(without, averaged, strict=True):
        assert (raw.run, raw.step, raw.raw_metric) == (found.run, found.step, None)
        assert found.raw_metric == (raw.metric if raw.last else None)
        assert found.loss != raw.loss
        assert (found.test_metric is None) == (not raw.last)
    assert averaged[-1].raw_metric != averaged[-1].metric


def test_raw_weights_are_evaluated_by_a_metric_of_all_rows_too(data_root):
    def share_of_right(scores, classes):
        return (scores.argmax(1) == classes).double().mean()

    named = WorkloadOptions("digits").load(data_root)
    workload = replace(named, metric=Metric("accuracy", "maximize", "", 0.0, whole=share_of_right))
    runs = [Run(Constant(peak_lr=0.3), EPOCHS, 0, evaluations=EPOCHS)]
    *_, without = trainer(workload).train(runs)
    *_, averaged = trainer(replace(workload, averaging_fraction=0.2)).train(runs)
    assert averaged.raw_metric == without.metric != averaged.metric


@pytest.mark.parametrize("cohort", [1, 2])
def test_what_is_evaluated_is_the_average_that_anyone_would_write(cohort, data_root):
    """With batch norm, whose running statistics are averaged too."""
    named = WorkloadOptions("digits", average="ema", averaging_fraction=0.25).load(data_root)
    workload = replace(named, make_model=net_without_dropout)
    x, y = workload.data.train
    torch.manual_seed(0)
    model = net_without_dropout()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).split(64)[:16]
    average = None
    for batch in rows:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
        state = {name: value.clone().double() for name, value in model.state_dict().items()}
        keep = math.exp(-1 / (0.25 * 16))
        average = average or state
        average = {name: keep * average[name] + (1 - keep) * value for name, value in state.items()}
    model.load_state_dict(average)
    model.eval()
    with torch.no_grad():
        expected = nn.functional.cross_entropy(model(workload.data.validation.x), workload.data.validation.y)
    runs = [Run(Constant(peak_lr=lr), 1, 0, evaluations=1) for lr in (0.05, 0.1)]
    found = [one for one in trainer(workload, cohort).train(runs) if one.run == 0]
    assert found[-1].loss == pytest.approx(float(expected), rel=1e-4)


def net_without_dropout():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
