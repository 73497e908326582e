"""Every family against its formula, including both ends, and its docstring against the formula."""

import re
from dataclasses import fields
from functools import partial

import pytest

from search_spaces import (
    EVERY_FAMILY,
    REX,
    WSD,
    Constant,
    Cosine,
    Cyclic,
    Exponential,
    Greedy,
    InverseSqrt,
    InverseTime,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Plateau,
    Polynomial,
    ScheduleFree,
    Step,
    WarmRestarts,
)
from tests import oracles

PEAK = 0.3

# One row per way that a family can look: the class, its parameters, the formula.
TABLE = [
    (Constant, {}, oracles.constant),
    (Step, {"step_size_fraction": 0.3, "gamma": 0.5}, oracles.step),
    (Step, {"step_size_fraction": 0.5, "gamma": 0.1}, oracles.step),
    (MultiStep, {"first_drop_fraction": 0.5, "drops": 2, "gamma": 0.1}, oracles.multistep),
    (MultiStep, {"first_drop_fraction": 0.3, "drops": 4, "gamma": 0.7}, oracles.multistep),
    (Exponential, {"end_ratio": 1e-4}, oracles.exponential),
    (Exponential, {"end_ratio": 0.5}, oracles.exponential),
    (InverseTime, {"end_ratio": 1e-3, "power": 0.5}, oracles.inverse_time),
    (InverseTime, {"end_ratio": 0.01, "power": 1.0}, oracles.inverse_time),
    (InverseTime, {"end_ratio": 0.1, "power": 2.0}, oracles.inverse_time),
    (InverseSqrt, {"timescale_fraction": 0.05}, oracles.inverse_sqrt),
    (Polynomial, {"power": 0.5}, oracles.polynomial),
    (Polynomial, {"power": 4.0}, oracles.polynomial),
    (Linear, {"end_ratio": 0.0}, oracles.linear),
    (Linear, {"end_ratio": 0.3}, oracles.linear),
    (Cosine, {"t_max_fraction": 1.0, "floor_ratio": 0.0}, oracles.cosine),
    (Cosine, {"t_max_fraction": 1.0, "floor_ratio": 0.1}, oracles.cosine),
    (Cosine, {"t_max_fraction": 0.6, "floor_ratio": 0.01}, oracles.cosine),
    (WarmRestarts, {"cycles": 4, "t_mult": 1}, partial(oracles.warm_restarts, first_length=60)),
    (WarmRestarts, {"cycles": 3, "t_mult": 2, "floor_ratio": 0.05}, partial(oracles.warm_restarts, first_length=35)),
    (Cyclic, {"cycles": 4, "base_ratio": 0.1, "mode": "triangular"}, partial(oracles.cyclic, length=60)),
    (Cyclic, {"cycles": 3, "base_ratio": 0.5, "mode": "triangular2"}, partial(oracles.cyclic, length=80)),
    (
        Cyclic,
        {"cycles": 2, "base_ratio": 0.01, "mode": "exp_range", "end_amplitude": 0.01},
        partial(oracles.cyclic, length=120),
    ),
    (OneCycle, {"pct_start": 0.25, "div_factor": 25.0, "end_ratio": 1e-4, "anneal_strategy": "cos"}, oracles.one_cycle),
    (
        OneCycle,
        {"pct_start": 0.05, "div_factor": 2.0, "end_ratio": 0.1, "anneal_strategy": "linear"},
        oracles.one_cycle,
    ),
    (WSD, {"cooldown_fraction": 0.2, "shape": "linear"}, oracles.wsd),
    (WSD, {"cooldown_fraction": 0.6, "shape": "1-sqrt"}, oracles.wsd),
    (WSD, {"cooldown_fraction": 0.05, "shape": "cosine"}, oracles.wsd),
    (WSD, {"cooldown_fraction": 0.2, "shape": "power", "power": 0.25, "floor_ratio": 0.01}, oracles.wsd),
    (WSD, {"cooldown_fraction": 1.0, "shape": "power", "power": 2.0}, oracles.wsd),
    (WSD, {"cooldown_fraction": 0.3, "shape": "1-sqrt", "floor_ratio": 0.15}, oracles.wsd),
    (WSD, {"cooldown_fraction": 0.3, "shape": "cosine", "floor_ratio": 0.15}, oracles.wsd),
    (REX, {}, oracles.rex),
    (Piecewise, {"knots": 3, "ratio_1": 0.2, "end_ratio": 0.7}, oracles.piecewise),
    (Piecewise, {"knots": 4, "ratio_1": 1.0, "ratio_2": 0.01, "end_ratio": 0.001}, oracles.piecewise),
    (Piecewise, {"knots": 5, "ratio_1": 0.5, "ratio_2": 1.0, "ratio_3": 0.3, "end_ratio": 1.0}, oracles.piecewise),
    (ScheduleFree, {"beta": 0.95}, lambda s, n, beta: 1.0),
    (Greedy, {"factor": 0.5}, lambda s, n, factor: 1.0),
    (Plateau, {"factor": 0.5}, lambda s, n, factor: 1.0),  # nothing observed, nothing done; losses are tested below
]
ROWS = [pytest.param(*row, id=f"{row[0].family}-{i}") for i, row in enumerate(TABLE)]


def test_the_table_has_every_family():
    assert {row[0] for row in TABLE} == set(EVERY_FAMILY.values())
    assert {name: cls.family for name, cls in EVERY_FAMILY.items()} == {name: name for name in EVERY_FAMILY}


def formula(cls, parameters, body):
    """The body's formula, given the parameters that it knows; those given in the table come first."""
    fixed = getattr(body, "keywords", {})
    unknown_to_it = {"cycles"} if fixed else set()
    return lambda s, n: body(s, n, **{key: value for key, value in parameters.items() if key not in unknown_to_it})


def assert_rates(schedule, total_steps, expected):
    """Those that torch sets, and those that the family computes."""
    assert [lr for lr, _ in schedule.simulate(total_steps)] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    computed = schedule.rates(total_steps, [] if schedule.evaluations else None)
    assert computed == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("cls", "parameters", "body"), ROWS)
def test_rates_follow_the_formula(cls, parameters, body):
    total_steps = 245 if parameters.get("t_mult") == 2 else 240
    expected = oracles.whole_run(formula(cls, parameters, body), PEAK, total_steps)
    assert_rates(cls(peak_lr=PEAK, **parameters), total_steps, expected)


@pytest.mark.parametrize(("cls", "parameters", "body"), [row for row in ROWS if not row.values[0].has_own_warmup])
@pytest.mark.parametrize("warmup_fraction", [0.005, 0.2])
def test_rates_follow_the_formula_after_a_warmup(cls, parameters, body, warmup_fraction):
    body_steps = 245 if parameters.get("t_mult") == 2 else 240
    total_steps = {0.005: body_steps + 1, 0.2: body_steps * 5 // 4}[warmup_fraction]
    while total_steps - round(warmup_fraction * total_steps) < body_steps:
        total_steps += 1
    expected = oracles.whole_run(formula(cls, parameters, body), PEAK, total_steps, warmup_fraction)
    schedule = cls(peak_lr=PEAK, warmup_fraction=warmup_fraction, **parameters)
    assert_rates(schedule, total_steps, expected)


def test_one_cycle_moves_momentum_against_the_rate():
    curve = OneCycle(peak_lr=PEAK, pct_start=0.25, cycle_momentum=True).simulate(200)
    expected = [oracles.one_cycle_momentum(s, 200, 0.25) for s in range(200)]
    assert [momentum for _, momentum in curve] == pytest.approx(expected)


def test_cyclic_moves_momentum_against_the_rate():
    curve = Cyclic(peak_lr=PEAK, cycles=2, base_ratio=0.2, cycle_momentum=True).simulate(200)
    expected = [0.9 - 0.1 * (lr / PEAK - 0.2) / 0.8 for lr, _ in curve]
    assert [momentum for _, momentum in curve] == pytest.approx(expected)


@pytest.mark.parametrize("warmup_fraction", [0.0, 0.15])
def test_plateau_follows_the_losses(warmup_fraction):
    losses = [2.0, 1.5, 1.6, 1.6, 1.5, 1.49, 1.6, 1.6, 1.6, 1.6, 1.6, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2]
    schedule = Plateau(
        peak_lr=PEAK,
        warmup_fraction=warmup_fraction,
        factor=0.2,
        patience_fraction=0.1,
        threshold=1e-3,
        floor_ratio=0.01,
    )
    every = range(10, 201, 10)
    warmup_steps = round(200 * warmup_fraction)
    expected = oracles.plateau(losses, every, 200, warmup_steps, PEAK, 0.2, 2, 1e-3, 0.01 * PEAK)
    assert [lr for lr, _ in schedule.simulate(200, losses)] == pytest.approx(expected)
    assert min(expected) == pytest.approx(0.01 * PEAK), "the losses must reach the floor, or the test shows little"


@pytest.mark.parametrize("family", EVERY_FAMILY.values(), ids=EVERY_FAMILY)
def test_every_symbol_of_a_formula_is_defined_where_it_stands(family):
    """As `symbol = ...` or `symbol is ...`: every single letter of the docstring, and every name in the formula."""
    text = " ".join(family.__doc__.split())
    [formula] = re.findall(r"^ +(lr.*)$", family.__doc__, re.M)
    symbols = set(re.findall(r"(?<![\w'])[A-Za-z](?!\w)", text)) - {"a", "A"}  # an English word
    symbols |= set(re.findall(r"[A-Za-z]\w+", formula)) - {"lr", *(field.name for field in fields(family))}
    undefined = {symbol for symbol in symbols if not re.search(rf"\b{symbol}(\(\w\))? (=|is) ", text)}
    assert undefined <= {"cos", "exp", "max", "pi", "sqrt"} | ({"floor"} if family is Step else set())
