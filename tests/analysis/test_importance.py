"""What a study says beyond its winner: against Optuna's own evaluator, and against rows whose answer is known."""

import io
import random
from dataclasses import replace

import optuna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import MeanDecreaseImpurityImportanceEvaluator
from optuna.trial import TrialState, create_trial
from rich.console import Console

from study.analysis.importance import edge_warnings, importance, insight, peak_spans
from tests.helpers import SMALL, open_small, run_search

DISTRIBUTIONS = {
    "family": CategoricalDistribution(["cosine", "linear", "rex"]),
    "peak_lr": FloatDistribution(1e-3, 5.0, log=True),
    "warmup_fraction": FloatDistribution(0.005, 0.2, log=True),
    "cosine.floor_ratio": FloatDistribution(0.0, 0.3),
    "drops": IntDistribution(1, 4),
    "cycles": IntDistribution(2, 8),
}


def row(value, params, full=None, diverged=False):
    """A finished trial with this value after 2 epochs and, if it is complete, that one after 20."""
    return create_trial(
        state=TrialState.PRUNED if full is None else TrialState.COMPLETE,
        value=value if full is None else full,
        params=params,
        distributions={name: DISTRIBUTIONS[name] for name in params},
        intermediate_values={2: value} if full is None else {2: value, 20: full},
        user_attrs={"record": {"diverged": diverged}},
    )


def study_of(rows, direction="minimize", horizons=(2, 20)):
    study = optuna.create_study(direction=direction)
    study.set_user_attr("configuration", {"horizons": list(horizons)})
    study.add_trials(rows)
    return study


def judged(function, rows, direction="minimize", **kwargs):
    study = study_of(rows, direction, **kwargs)
    return function(study, study.trials)


def printed(rows, width=100, **kwargs):
    written = io.StringIO()
    console = Console(file=written, highlight=False, markup=False, soft_wrap=True, width=width)
    for part in judged(insight, rows, **kwargs):
        console.print(part)
    return written.getvalue()


def draws(n, seed=0):
    """Parameters at random: half have a warm-up, one has cycles."""
    rng = random.Random(seed)
    for number in range(n):
        params = {"family": rng.choice(["cosine", "linear", "rex"]), "peak_lr": 10 ** rng.uniform(-2.9, 0.6)}
        yield (
            params
            | ({"warmup_fraction": rng.uniform(0.01, 0.2)} if number % 2 else {})
            | ({"cycles": 3} if number == 7 else {})
        )


def peak_decides(sign=1):
    """Forty trials whose short runs are worth what their peak is; the full runs say the contrary."""
    return [
        row(sign * params["peak_lr"], params, full=-sign * params["peak_lr"] if number % 4 == 0 else None)
        for number, params in enumerate(draws(40))
    ]


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_importance_is_what_optuna_finds_in_the_short_runs(direction, sign):
    shares, n = judged(importance, peak_decides(sign), direction)
    by_hand = optuna.create_study()
    for params in draws(40):
        values = {"warmup_fraction": 0.0} | {name: params[name] for name in params if name != "cycles"}
        shared = {name: DISTRIBUTIONS[name] for name in ("family", "peak_lr")}
        shared["warmup_fraction"] = FloatDistribution(0.0, 1.0)
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
    rows = [row(worth[p["family"]] if name == "family" else p.get(name, 0.0), p) for p in draws(40)]
    assert judged(importance, rows)[0][name] > 0.9


def test_diverged_trials_have_no_say_in_importance():
    wild = [row(-1.0, {"family": "rex", "peak_lr": 4.9}, diverged=True)] * 20
    assert judged(importance, peak_decides() + wild) == judged(importance, peak_decides())


def test_importance_of_few_or_equal_trials_is_not_told():
    assert judged(importance, peak_decides()[:19]) == ({}, 19)
    assert judged(importance, peak_decides()[:20])[0]
    equal = [row(0.5, params) for params in draws(40)]
    assert judged(importance, equal) == ({}, 40)
    assert "cannot be told" in printed(equal)
    assert "told of 20 runs or more of equal length, here are 19" in printed(peak_decides()[:19])


def test_with_one_horizon_only_full_runs_are_compared():
    rows = [row(0.9, params) for params in draws(30)] + [row(0.9, params, full=0.1) for params in draws(3)]
    assert judged(importance, rows, horizons=[20]) == ({}, 3)
    assert judged(importance, rows, horizons=[2, 20])[1] == 33


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_the_span_is_that_of_the_better_half(direction, sign):
    tried = [("cosine", 0.5, 0.3), ("cosine", 0.4, 0.1), ("cosine", 0.6, 0.35), ("cosine", 0.9, 4.0)]
    tried += [("cosine", 0.8, 0.01), ("rex", 0.1, 1.0), ("rex", 0.2, 1.0), ("rex", 0.3, 1.0)]
    rows = [row(sign * value, {"family": family, "peak_lr": peak}) for family, value, peak in tried]
    assert judged(peak_spans, rows, direction) == {"cosine": (5, 0.1, 0.1, 0.35, 0.01, 4.0)}
    rows += [row(sign * 0.05, {"family": "rex", "peak_lr": 4.5}, diverged=True)]
    assert list(judged(peak_spans, rows, direction)) == ["cosine"], "three that did not diverge are too few"
    rows += [row(sign * 0.05, {"family": "rex", "peak_lr": 2.5}, full=sign * 0.9)]
    assert judged(peak_spans, rows, direction)["rex"] == (4, 2.5, 1.0, 2.5, 1.0, 2.5)
    line = next(line for line in printed(rows, direction=direction).splitlines() if "cosine" in line)
    assert line.replace("│", " ").split() == ["cosine", "5", "0.1", "0.1", "0.35", "3.5", "400"]


away_from_the_limit = st.floats(0, 1).filter(lambda share: min(abs(share - 0.05), abs(share - 0.95)) > 1e-6)


@given(st.lists(away_from_the_limit, min_size=4, max_size=5), st.booleans())
@example([0.0, 0.0, 0.5, 0.5], True)
@example([1.0, 1.0, 1.0, 0.0, 0.0], False)
def test_an_edge_is_named_where_more_than_half_lie_there(shares, log):
    """Of up to five trials, each put at a known share of its range."""
    name, low, high = ("peak_lr", 1e-3, 5.0) if log else ("cosine.floor_ratio", 0.0, 0.3)
    values = [low * (high / low) ** share if log else low + (high - low) * share for share in shares]
    lines = judged(edge_warnings, [row(0.5, {name: min(max(value, low), high)}) for value in values])
    n, at_low, at_high = len(shares), sum(share < 0.05 for share in shares), sum(share > 0.95 for share in shares)
    crowded = [at_low * 2 > n, at_high * 2 > n]
    assert len(lines) == sum(crowded)
    for line in lines:
        assert f": {max(at_low, at_high)} of the best {n} trials lie within 5% of its" in line
        assert [f"lower end, {low:g}" in line, f"upper end, {high:g}" in line] == crowded


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1), ("maximize", -1)])
def test_the_best_got_furthest_and_are_a_tenth(direction, sign):
    """Sixty trials: six are looked at, the complete ones, which are worse than the pruned ones' short runs."""
    middle, end = {"family": "rex", "peak_lr": 0.07}, {"family": "rex", "peak_lr": 4.9}
    pruned = [row(sign * 0.1, middle)] * 50
    rows = [*pruned, *[row(sign * 0.3, end, full=sign * 0.4)] * 4, *[row(sign * 0.3, middle, full=sign * 0.4)] * 2]
    rows += [row(sign * 0.3, middle, full=sign * 0.5)] * 4
    assert judged(edge_warnings, rows, direction) == [
        "peak_lr: 4 of the best 6 trials lie within 5% of its upper end, 5 (range 0.001 to 5, log scale): "
        "the best may lie beyond; try a wider range if it can be"
    ]
    assert "At an end of what was searched:\npeak_lr: 4 of" in printed(rows, direction=direction)
    assert not judged(edge_warnings, rows[1:52] + rows[54:], direction), "two of six"
    diverged = [row(sign * 0.0, end, full=sign * 0.0, diverged=True)] * 6
    assert not judged(edge_warnings, [*diverged, *pruned], direction)


def test_four_must_have_a_parameter():
    with_floor, without = row(0.1, {"cosine.floor_ratio": 0.0}), row(0.1, {"peak_lr": 0.07})
    assert not judged(edge_warnings, [with_floor] * 3 + [without] * 2)
    (line,) = judged(edge_warnings, [with_floor] * 4 + [without])
    assert line.startswith(
        "cosine.floor_ratio: 4 of the best 4 trials that have it lie within 5% of its lower end, 0 ("
    )


def test_categories_and_short_ranges_have_no_edges():
    assert not judged(edge_warnings, [row(0.1, {"family": "rex", "drops": 4})] * 5)
    (line,) = judged(edge_warnings, [row(0.1, {"cycles": 8})] * 5)
    assert "upper end, 8 (range 2 to 8):" in line


ODD = {
    "empty": [],
    "one": [row(0.5, {"family": "rex", "peak_lr": 0.1}, full=0.4)],
    "all pruned": [row(0.5, params) for params in draws(8)],
    "all diverged": [row(1.0, params, diverged=True) for params in draws(30)],
    "nothing reported": [
        create_trial(state=TrialState.PRUNED, user_attrs={"record": {"diverged": False}}) for _ in range(30)
    ],
    "not a number": [row(float("inf"), params) for params in draws(30)],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
@pytest.mark.parametrize("horizons", [(2, 20), (20,)])
def test_studies_in_odd_states_are_told_of(rows, horizons):
    said = printed(rows, horizons=horizons)
    compared = sum(value < 1 for trial in rows for epochs, value in trial.intermediate_values.items() if epochs == 2)
    compared = compared if horizons == (2, 20) else sum(20 in trial.intermediate_values for trial in rows)
    assert f"here are {compared}." in said
    assert ("told of families with 4 runs" in said) == (not judged(peak_spans, rows, horizons=horizons))


def test_a_real_search_is_told_of_in_a_terminal(storage, workload):
    trials = run_search(storage, workload, 30)
    with open_small(storage, workload) as study:
        shares, n = importance(study, trials)
        assert importance(study, study.trials) == (shares, n), "the same rows give the same answer"
        assert n == sum(not trial.user_attrs["record"]["diverged"] for trial in trials) >= 20
        assert {"family", "peak_lr"} <= set(shares)
        assert sum(shares.values()) == pytest.approx(1)
        assert peak_spans(study, trials)
        for family, span in peak_spans(study, trials).items():
            own = [trial.params["peak_lr"] for trial in trials if trial.params["family"] == family]
            assert min(own) <= span.all_low <= span.low <= span.best <= span.high <= span.all_high <= max(own)
        written = io.StringIO()
        for part in insight(study, trials):
            Console(file=written, width=100, soft_wrap=True).print(part)
    said = written.getvalue()
    assert f"What decided, in {n} trials after 1 epochs" in said
    assert max(map(len, said.splitlines())) <= 100


def test_with_the_other_pruners_full_runs_are_compared(storage, workload):
    configuration = replace(SMALL, pruner="median", families=("cosine", "linear"))
    trials = run_search(storage, workload, 20, configuration)
    with open_small(storage, workload, configuration) as study:
        assert importance(study, trials) == ({}, sum(trial.state == TrialState.COMPLETE for trial in trials))
