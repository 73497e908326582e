"""Training functions of a user, small ones that end in milliseconds, and what is wrong with others."""

import torch
from torch import nn

import study
from study.training.trainer import RunRequest

STEPS = 8
"""Optimizer steps of an epoch."""
WITHOUT_MOMENTUM = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "RMSprop": lambda weights: torch.optim.RMSprop(weights, lr=0.1),
    "Adagrad": lambda weights: torch.optim.Adagrad(weights, lr=0.1),
}


def rows():
    x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    return x, (x @ torch.tensor([1.0, -2.0, 0.5, 0.0]))[:, None]


def optimized(make_optimizer=lambda weights: torch.optim.SGD(weights, lr=1.0, momentum=0.5)):
    """The optimizer of a fresh model, one step of training for a batch of this number, and the error."""
    x, y = rows()
    model = nn.Linear(4, 1)
    optimizer = make_optimizer(model.parameters())

    def step(number):
        batch = slice(8 * (number % STEPS), 8 * (number % STEPS) + 8)
        optimizer.zero_grad()
        ((model(x[batch]) - y[batch]) ** 2).mean().backward()
        optimizer.step()

    def error():
        with torch.no_grad():
            return float(((model(x) - y) ** 2).mean())

    return optimizer, step, error


def train(schedule, epochs, seed):
    optimizer, step, error = optimized()
    scheduler = schedule.build(optimizer, epochs * STEPS)
    for _ in range(epochs):
        for number in range(STEPS):
            step(number)
            scheduler.step()
        yield error()


CLOCK = {"now": 1000.0, "runs": 0}
"""What `by_the_clock` moves."""


def by_the_clock(schedule, epochs, seed):
    """The same on a clock of its own: five seconds before a run, one second a step."""
    CLOCK["runs"] += 1
    CLOCK["now"] += 5.0
    for value in train(schedule, epochs, seed):
        CLOCK["now"] += STEPS
        yield value


@study.trains(metric="score", direction="maximize", peak_lr=(0.001, 0.5), worst=-1.0)
def score(schedule, epochs, seed):
    """The same, by a score that is to be large, tested too."""
    for value in train(schedule, epochs, seed):
        yield {"val_score": 1 / (1 + value), "test_score": 1 / (2 + value)}


def train_steps(schedule, steps, seed):
    optimizer, step, error = optimized()
    scheduler = schedule.build(optimizer, steps)
    for number in range(steps):
        step(number)
        scheduler.step()
        if (number + 1) % 25 == 0 or number + 1 == steps:
            yield number + 1, torch.tensor(error())


def train_with_rates(schedule, epochs, seed):
    """As a script of one file does that sets the rate itself."""
    optimizer, step, error = optimized()
    for number, rate in enumerate(schedule.rates(epochs * STEPS), start=1):
        optimizer.param_groups[0]["lr"] = rate
        step(number - 1)
        if number % STEPS == 0:
            yield number, error()


def run_request(schedule, budget, unit="epochs", seed=0, **others):
    """A run of this schedule."""
    return RunRequest(schedule, budget, unit, seed, **others)
