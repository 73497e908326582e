"""Schedule-free runs against a plain loop over the package schedulefree: the same bits."""

from dataclasses import replace
from itertools import islice

import pytest
import schedulefree
import torch
from torch import nn

from search_spaces import Cosine, InputError, ScheduleFree
from study.executors.in_process import InProcess
from study.objective import Run
from study.training.batch_norm import statistics_of
from study.training.workload_objective import WorkloadObjective
from tests.helpers import by_run


def with_batch_norm():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)
    )


def groups_of(model):
    """Two groups, one with half of the rate and no weight decay."""
    weights, biases = ([one for one in model.parameters() if (one.ndim > 1) == many] for many in (True, False))
    return [{"params": weights, "lr": 1.0, "weight_decay": 0.01}, {"params": biases, "lr": 0.5, "weight_decay": 0.0}]


OPTIMIZERS = {
    "sgd": (
        lambda model: torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.5, weight_decay=1e-3),
        lambda model: schedulefree.SGDScheduleFree(model.parameters(), lr=1.0, momentum=0.95, weight_decay=1e-3),
    ),
    "adamw": (
        lambda model: torch.optim.AdamW(groups_of(model), betas=(0.8, 0.95), eps=1e-6),
        lambda model: schedulefree.AdamWScheduleFree(groups_of(model), betas=(0.95, 0.95), eps=1e-6),
    ),
}


def orders(workload, seed):
    """The rows of each step, without end."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(workload.data.train.rows, generator=generator)
        yield from (rows for rows in order.split(workload.batch_size) if len(rows) == workload.batch_size)


def trained_by_hand(workload, make_optimizer, schedule, epochs, seed, evaluate_every):
    """The validation losses of a run, as the README of schedulefree trains."""
    torch.manual_seed(seed)
    model = workload.make_model()
    optimizer = make_optimizer(model)
    highest = [group["lr"] for group in optimizer.param_groups]
    data, losses = workload.data, []
    total_steps = epochs * workload.steps_per_epoch
    rates = [lr for lr, _ in schedule.simulate(total_steps)]
    optimizer.train()
    for step, (lr, rows) in enumerate(zip(rates, orders(workload, seed), strict=False)):
        for group, most in zip(optimizer.param_groups, highest, strict=True):
            group["lr"] = lr * most
        model.train()
        loss = nn.functional.cross_entropy(model(data.train.x[rows]), data.train.y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % evaluate_every:
            continue
        optimizer.eval()
        random_state = torch.get_rng_state()
        kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.reset_running_stats()
                module.momentum = None  # a plain average
        with torch.no_grad():
            if kept:
                for some in islice(orders(workload, seed), min(50, workload.steps_per_epoch)):
                    model(data.train.x[some])
            model.eval()
            parts = zip(data.validation.x.split(256), data.validation.y.split(256), strict=True)
            total = sum(nn.functional.cross_entropy(model(x), y, reduction="none").double().sum() for x, y in parts)
        losses.append(float(total / data.validation.rows))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.momentum = 0.1
        for name, buffer in model.named_buffers():
            buffer.copy_(kept[name])
        torch.set_rng_state(random_state)
        optimizer.train()
    return losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_run_is_that_of_a_plain_loop(optimizer, batch_norm, workload):
    ours, theirs = OPTIMIZERS[optimizer]
    workload = replace(workload, make_optimizer=ours)
    workload = replace(workload, make_model=with_batch_norm) if batch_norm else workload
    peak_lr = 0.5 if optimizer == "sgd" else 0.02
    schedule = ScheduleFree(peak_lr=peak_lr, warmup_fraction=0.2, beta=0.95)
    evaluations = list(WorkloadObjective(workload).train([Run(schedule, 4, 3, evaluations=4)], lambda run: False))
    by_hand = trained_by_hand(workload, theirs, schedule, 4, 3, workload.steps_per_epoch)
    assert [one.loss for one in evaluations] == by_hand
    assert by_hand[-1] < by_hand[0]
    assert [one.lr for one in evaluations] == [peak_lr] * 4
    assert [one.momentum for one in evaluations] == [0.95] * 4


def test_what_is_evaluated_are_the_averages(workload):
    """An ordinary SGD with the same steps ends elsewhere."""
    run = Run(ScheduleFree(peak_lr=0.5), 2, 0, evaluations=1)
    [averaged] = WorkloadObjective(workload).train([run], lambda run: False)
    [raw] = trained_by_hand(
        workload, lambda model: LastWeights(model.parameters()), run.schedule, 2, 0, 2 * workload.steps_per_epoch
    )
    assert averaged.loss != pytest.approx(raw, rel=1e-3)


class LastWeights(schedulefree.SGDScheduleFree):
    def eval(self):
        """Keep the weights at which gradients are taken."""

    def train(self):
        for group in self.param_groups:
            group["train_mode"] = True


def test_a_cohort_with_such_a_run_is_trained_as_its_runs_are(workload):
    """It trains alone, and the others in lockstep as without it."""
    objective = WorkloadObjective(workload)
    free, rest = Run(ScheduleFree(peak_lr=0.3), 2, 0, 2), [Run(Cosine(peak_lr=peak), 2, 0, 2) for peak in (0.1, 0.2)]
    mixed = by_run(InProcess(objective, 10).train([rest[0], free, rest[1]]))
    alone = list(InProcess(objective, 1).train([free]))
    together = by_run(InProcess(objective, 10).train(rest))
    assert [one for one in mixed if one.run == 1] == [replace(one, run=1) for one in alone]
    assert [one for one in mixed if one.run != 1] == [replace(one, run=2 * one.run) for one in together]
    assert {one.run: one.cohort for one in mixed} == {0: 2, 1: 1, 2: 2}


def test_an_optimizer_without_a_twin_is_named(workload):
    schedule = ScheduleFree(peak_lr=0.1)
    assert WorkloadObjective(workload).schedule_obstacle(schedule) is None
    adam = replace(workload, make_optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=1.0))
    said = "schedulefree has twins of torch's SGD and AdamW, not of Adam"
    assert WorkloadObjective(adam).schedule_obstacle(schedule) == said
    assert WorkloadObjective(adam).schedule_obstacle(Cosine(peak_lr=0.1)) is None
    averaged = WorkloadObjective(replace(workload, averaging_fraction=0.1))
    assert averaged.schedule_obstacle(schedule) == "it evaluates averaged weights itself: remove --average"
    with pytest.raises(InputError, match=said):
        list(WorkloadObjective(adam).train([Run(schedule, 1, 0, 1)], lambda run: False))


def test_statistics_are_as_before_afterwards():
    model, batches = nn.Sequential(nn.BatchNorm1d(3)), [torch.randn(16, 3) + 5 for _ in range(4)]
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with statistics_of(model, batches):
        torch.testing.assert_close(model[0].running_mean, torch.cat(batches).mean(0))
        assert model.training
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])
    assert model[0].momentum == 0.1


def test_a_model_without_batch_norm_reads_no_rows():
    def unread():
        raise AssertionError("read")
        yield

    with statistics_of(nn.Linear(2, 2), unread()):
        pass
