"""How peak and weight decay interact: against rows with a known answer, and against scipy."""

import random
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from search_spaces.ranges import Choice, Float
from study.analysis.decay_interaction import FEWEST, DecayInteraction
from tests.example_studies import RANGES, SETTINGS, ended, ranged, study_record

DECAYS = Float(1e-5, 1e-2, log=True)


def decaying(rows, searched=DECAYS, direction="minimize"):
    """A study of these trials, in which weight decay is searched over this range."""
    return study_record(rows, direction, settings=replace(SETTINGS, space={**RANGES, "weight_decay": searched}))


def rows_of(n, value, seed=0):
    """Trials with random peaks and weight decays. value: of both, as exponents of 10."""
    rng = random.Random(seed)
    for _ in range(n):
        peak, decay = rng.uniform(-2, 0), rng.uniform(-5, -2)
        params = {"family": "rex", "peak_lr": 10**peak, "weight_decay": 10**decay}
        yield ended(value(peak, decay), params=params)


def product_decides(peak, decay):
    return abs(peak + decay + 4.5)


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_a_best_product_is_a_negative_correlation(direction, sign):
    rows = list(rows_of(60, lambda peak, decay: sign * product_decides(peak, decay)))
    found = DecayInteraction.of(decaying(rows, direction=direction))
    assert found.correlation.n == len(found.better) == 30
    assert found.correlation.high < 0
    low, middle, high = found.products
    assert low < 10**-4.5 < high
    assert middle == pytest.approx(np.median([peak * decay for peak, decay in found.better]))


def test_without_an_interaction_the_interval_holds_0_as_often_as_it_says():
    """The value depends on both, but not together: in 19 of 20 studies on average, at least 80 of 100 here."""
    ranks = []
    for seed in range(100):
        rows = rows_of(50, lambda peak, decay: (peak + 1) ** 2 + (decay + 3.5) ** 2 / 4, seed)
        ranks.append(DecayInteraction.of(decaying(list(rows))).correlation)
    assert sum(one.low <= 0 <= one.high for one in ranks) >= 80
    assert all(one.n == 25 for one in ranks)


def test_the_correlation_is_spearmans_of_the_better_half():
    rows = list(rows_of(41, product_decides, seed=3))
    found = DecayInteraction.of(decaying(rows))
    best = sorted(rows, key=lambda row: row.value)[:21]
    peaks, decays = zip(*((row.params["peak_lr"], row.params["weight_decay"]) for row in best), strict=True)
    assert found.correlation.mean == pytest.approx(stats.spearmanr(peaks, decays).statistic)
    assert set(found.better) == set(zip(peaks, decays, strict=True))
    assert len(found.others) == 20


def test_what_is_left_out():
    rows = list(rows_of(30, product_decides))
    others = [replace(row, is_reference=True) for row in rows_of(5, product_decides, seed=1)]
    others += [replace(row, diverged=True) for row in rows_of(5, product_decides, seed=2)]
    assert DecayInteraction.of(decaying([*rows, *others])) == DecayInteraction.of(decaying(rows))


def test_few_trials_and_one_weight_decay_show_nothing():
    assert DecayInteraction.of(decaying(list(rows_of(FEWEST - 1, product_decides)))).correlation is None
    assert DecayInteraction.of(decaying(list(rows_of(FEWEST, product_decides)))).correlation is not None
    assert DecayInteraction.of(decaying([])).better == ()
    same = [replace(row, params={**row.params, "weight_decay": 0.1}) for row in rows_of(30, product_decides)]
    assert DecayInteraction.of(decaying(same, Choice((0.0, 0.1)))).correlation is None


@pytest.mark.parametrize("searched", [Float(0.1, 0.1), Choice((0.1,))])
def test_a_fixed_weight_decay_is_not_searched(searched):
    assert DecayInteraction.of(decaying(list(rows_of(30, product_decides)), searched)) is None


def test_a_study_without_it_has_none():
    assert DecayInteraction.of(ranged([ended(0.5)] * 30)) is None
