"""Importance: against Optuna's evaluator, and against rows with a known answer."""

from dataclasses import replace

import optuna
import pytest
from optuna.importance import MeanDecreaseImpurityImportanceEvaluator
from optuna.trial import create_trial

from search_spaces.distributions import as_distribution
from search_spaces.ranges import Float
from study.analysis.comparable import comparable
from study.analysis.importance import importance
from tests.example_studies import RANGES, SETTINGS, draws, ended, ranged, study_record
from tests.helpers import SMALL, open_small, run_search


def peak_decides(sign=1):
    """Forty trials whose short runs are worth what their peak is; the full runs say the contrary."""
    return [
        ended(sign * params["peak_lr"], -sign * params["peak_lr"] if number % 4 == 0 else None, params=params)
        for number, params in enumerate(draws(40))
    ]


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_importance_is_what_optuna_finds_in_the_short_runs(direction, sign):
    shares, n = importance(ranged(peak_decides(sign), direction))
    by_hand = optuna.create_study()
    for params in draws(40):
        values = {"warmup_fraction": 0.0} | {name: params[name] for name in params if name != "cycles"}
        shared = {name: as_distribution(RANGES[name]) for name in ("family", "peak_lr")}
        shared["warmup_fraction"] = as_distribution(Float(0.0, 1.0))
        by_hand.add_trial(create_trial(value=sign * params["peak_lr"], params=values, distributions=shared))
    expected = MeanDecreaseImpurityImportanceEvaluator(seed=0).evaluate(by_hand)
    total = sum(expected.values())
    assert n == 40
    assert shares == pytest.approx({name: value / total for name, value in expected.items()})
    assert list(shares) == sorted(shares, key=lambda name: -shares[name])
    assert next(iter(shares)) == "peak_lr"
    assert shares["peak_lr"] > 0.9


@pytest.mark.parametrize("name", ["family", "peak_lr", "warmup_fraction"])
def test_what_decides_is_found(name):
    worth = {"cosine": 0.1, "linear": 0.5, "rex": 0.2}
    rows = [ended(worth[p["family"]] if name == "family" else p.get(name, 0.0), params=p) for p in draws(40)]
    assert importance(ranged(rows))[0][name] > 0.9


def test_weight_decay_is_a_shared_parameter_if_it_is_searched():
    rows = [ended(n % 7, params={**p, "weight_decay": 1e-5 * 1.2 ** (n % 7)}) for n, p in enumerate(draws(40))]
    searched = study_record(
        rows, settings=replace(SETTINGS, space={**RANGES, "weight_decay": Float(1e-5, 1e-2, log=True)})
    )
    assert importance(searched)[0]["weight_decay"] > 0.9
    assert "weight_decay" not in importance(ranged(rows))[0]


def test_diverged_trials_have_no_say_in_importance():
    wild = [ended(-1.0, params={"family": "rex", "peak_lr": 4.9}, diverged=True)] * 20
    assert importance(ranged(peak_decides() + wild)) == importance(ranged(peak_decides()))


def test_there_is_none_of_few_or_equal_trials():
    assert importance(ranged(peak_decides()[:19])) == ({}, 19)
    assert importance(ranged(peak_decides()[:20]))[0]
    assert importance(ranged(ended(0.5, params=params) for params in draws(40))) == ({}, 40)


def test_without_rungs_only_full_runs_are_compared():
    rows = [ended(0.9, params=params) for params in draws(30)] + [ended(0.9, 0.1, params=params) for params in draws(3)]
    assert importance(ranged(rows, budgets=(20,))) == ({}, 3)
    assert importance(ranged(rows, budgets=(2, 20)))[1] == 33


def test_a_real_search_gives_the_same_answer_again(storage, workload):
    run_search(storage, workload, 30)
    with open_small(storage, workload) as opened:
        study = opened.record
        shares, n = importance(study)
        assert importance(opened.record) == (shares, n)
    assert n == sum(not trial.diverged for trial in study.trials) >= 20
    assert {"family", "peak_lr"} <= set(shares)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("pruner", ["horizon", "median", "none"])
def test_who_is_compared(pruner, storage, workload):
    """With rungs all that did not diverge, at the first one; otherwise those that ran to their end, audited or not."""
    configuration = replace(SMALL, pruner=pruner, families=("cosine", "linear"), audit=0.5, trials_per_batch=1)
    run_search(storage, workload, 25, configuration)
    with open_small(storage, workload, configuration) as opened:
        study = opened.record
    compared = {trial.number for trial, _ in comparable(study)}
    assert all(value == trial.reported[1 if pruner == "horizon" else 4] for trial, value in comparable(study))
    audited = {trial.number for trial in study.complete if trial.audited_from}
    pruned = {trial.number for trial in study.trials if not trial.complete and not trial.diverged}
    assert bool(audited) == bool(pruned) == (pruner != "none")
    assert audited <= compared
    if pruner == "horizon":
        assert compared == {trial.number for trial in study.trials if not trial.diverged}
    else:
        assert compared == {trial.number for trial in study.complete}
