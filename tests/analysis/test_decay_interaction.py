"""How peak and weight decay interact: against rows with a known answer."""

from dataclasses import replace

import numpy as np
import pytest

from search_spaces.ranges import Choice, Float
from study.analysis.decay_interaction import FEWEST, DecayInteraction
from tests.example_studies import RANGES, SETTINGS, ended, ranged, study_record

DECAYS = Float(1e-5, 1e-2, log=True)


def decaying(rows, searched=DECAYS, direction="minimize"):
    """A study of these trials, in which weight decay is searched over this range."""
    return study_record(rows, direction, settings=replace(SETTINGS, space={**RANGES, "weight_decay": searched}))


def rows_of(n, value, seed=0, sign=1):
    """Trials with random peaks and weight decays. value: of both, as exponents of 10; 10 % noise is added."""
    rng = np.random.default_rng(seed)
    peaks, decays = rng.uniform(-2, 0, n), rng.uniform(-5, -2, n)
    values = value(peaks, decays)
    values += 0.1 * values.std() * rng.standard_normal(n)
    for peak, decay, one in zip(peaks, decays, sign * values, strict=True):
        params = {"family": "rex", "peak_lr": float(10**peak), "weight_decay": float(10**decay)}
        yield ended(float(one), params=params)


def product_decides(peak, decay):
    return abs(peak + decay + 4.5)


def ratio_decides(peak, decay):
    return abs(peak - decay - 2.5)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
@pytest.mark.parametrize("n", [50, 200])
def test_what_decides_is_found(n, direction, sign):
    """If the product does, a higher peak goes with a lower weight decay; if the ratio does, with a higher one."""
    for seed in range(20):
        products, ratios = (
            DecayInteraction.of(decaying(list(rows_of(n, value, seed, sign)), direction=direction)).product_term
            for value in (product_decides, ratio_decides)
        )
        assert products.low > 0
        assert ratios.high < 0
        assert products.n == ratios.n == n


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize(
    "value",
    [
        lambda peak, decay: -peak / 2 - decay / 3,  # best at an end of both ranges
        lambda peak, decay: (peak + 0.3) ** 2 / 4 + (decay + 2) ** 2 / 9,  # at an end of one
        lambda peak, decay: (peak + 1) ** 2 + (decay + 3.5) ** 2 / 4,  # in the middle
        lambda peak, decay: abs(peak + 1) + abs(decay + 3.5) / 2,
    ],
)
def test_effects_that_add_up_are_no_interaction(value, n):
    """In 19 of 20 studies on average."""
    terms = [DecayInteraction.of(decaying(list(rows_of(n, value, seed)))).product_term for seed in range(100)]
    assert sum(not one.low <= 0 <= one.high for one in terms) <= 10


def test_the_better_half_comes_first():
    rows = list(rows_of(41, product_decides))
    found = DecayInteraction.of(decaying(rows))
    best = sorted(rows, key=lambda row: row.value)[:21]
    assert list(found.better) == [(row.params["peak_lr"], row.params["weight_decay"]) for row in best]
    assert len(found.others) == 20
    low, middle, high = found.products
    assert low < 10**-4.5 < high
    assert middle == pytest.approx(np.median([peak * decay for peak, decay in found.better]))


def test_what_is_left_out():
    rows = list(rows_of(30, product_decides))
    others = [replace(row, is_reference=True) for row in rows_of(5, product_decides, seed=1)]
    others += [replace(row, diverged=True) for row in rows_of(5, product_decides, seed=2)]
    assert DecayInteraction.of(decaying([*rows, *others])) == DecayInteraction.of(decaying(rows))


def test_what_cannot_be_fitted_shows_nothing():
    rows = list(rows_of(FEWEST, product_decides))
    assert DecayInteraction.of(decaying(rows)).product_term is not None
    assert DecayInteraction.of(decaying(rows[1:])).product_term is None
    assert DecayInteraction.of(decaying([])).better == ()
    for decays in ([0.1], [0.1, 0.2], [0.0, 0.1, 0.2]):
        few = [
            replace(row, params={**row.params, "weight_decay": decays[number % len(decays)]})
            for number, row in enumerate(rows)
        ]
        assert DecayInteraction.of(decaying(few, Choice((*decays, 1.0)))).product_term is None


@pytest.mark.parametrize("searched", [Float(0.1, 0.1), Choice((0.1,))])
def test_a_fixed_weight_decay_is_not_searched(searched):
    assert DecayInteraction.of(decaying(list(rows_of(30, product_decides)), searched)) is None


def test_a_study_without_it_has_none():
    assert DecayInteraction.of(ranged([ended(0.5)] * 30)) is None
