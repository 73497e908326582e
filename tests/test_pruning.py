"""The rule between rungs, and that every rung but the last judges."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import InputError
from study.pruning import PRUNERS, HorizonPruner, horizons, make_pruner


def study_with(values, step, direction="minimize", reduction=3):
    study = optuna.create_study(direction=direction, pruner=HorizonPruner(reduction))
    trials = [study.ask() for _ in values]
    for trial, value in zip(trials, values, strict=True):
        trial.report(value, step=step)
    return trials


@given(
    st.lists(st.integers(0, 50).map(lambda i: i / 50), min_size=1, max_size=40),
    st.integers(2, 5),
    st.sampled_from(["minimize", "maximize"]),
)
@settings(max_examples=100, deadline=None)
def test_the_best_part_goes_on(values, reduction, direction):
    trials = study_with(values, 2, direction, reduction)
    better = (lambda a, b: a < b) if direction == "minimize" else (lambda a, b: a > b)
    for trial, value in zip(trials, values, strict=True):
        ahead = sum(better(other, value) for other in values)
        assert trial.should_prune() == (ahead >= max(1, len(values) // reduction))


def test_the_order_of_the_calls_does_not_matter():
    values = [0.5, 0.1, 0.3, 0.2, 0.4, 0.6]
    goes_on = {v for t, v in zip(study_with(values, 1), values, strict=True) if not t.should_prune()}
    backwards = {v for t, v in zip(study_with(values[::-1], 1), values[::-1], strict=True) if not t.should_prune()}
    assert goes_on == backwards == {0.1, 0.2}


def test_other_rungs_do_not_count():
    study = optuna.create_study(pruner=HorizonPruner(3))
    other, this = study.ask(), study.ask()
    other.report(0.0, step=1)
    this.report(0.9, step=2)
    assert not this.should_prune()
    assert not study.ask().should_prune(), "nothing reported, nothing judged"


@pytest.mark.parametrize("epochs", [*range(1, 41), 100, 200, 1000])
@pytest.mark.parametrize("fractions", [(0.1,), (0.125, 0.5), (0.05, 0.25)])
def test_every_rung_but_the_last_judges_whatever_the_epochs(epochs, fractions):
    rungs = horizons(fractions, epochs)
    assert rungs == sorted(set(rungs))
    assert rungs[0] >= 1
    assert rungs[-1] == epochs
    assert len(rungs) == len(fractions) + 1 or epochs < 1 / min(fractions) + 1, "only short runs have fewer"
    for rung in rungs[:-1]:
        judged = [trial.should_prune() for trial in study_with([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], rung)]
        assert judged == [False, False, True, True, True, True]


def test_names():
    assert [type(make_pruner(name, 20, 3)).__name__ for name in PRUNERS] == [
        "HorizonPruner",
        "MedianPruner",
        "HyperbandPruner",
        "NopPruner",
    ]
    with pytest.raises(InputError, match="unknown pruner 'horizn': did you mean 'horizon'"):
        make_pruner("horizn", 20, 3)
