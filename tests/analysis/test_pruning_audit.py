"""The audit: which trials continue, that the search is unaffected, and what it reports about pruning."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState
from scipy.stats import beta

from study.analysis.pruning_audit import audit_rows, audits
from study.search.configuration import PRUNES_MIDWAY
from tests.example_studies import TRIAL, study_record
from tests.helpers import LOCKSTEP, LOOP, SMALL, finished, open_small, run_search, substance

AUDITED = replace(SMALL, audit=0.5)


def audited_from(trial):
    return trial.user_attrs["record"]["audited_from"]


def by_place(trials):
    places = [trial.user_attrs["record"]["place"] for trial in trials]
    return {(place["generation"], place["position"]): trial for place, trial in zip(places, trials, strict=True)}


@pytest.fixture(scope="module", params=[(LOOP, "tpe"), (LOCKSTEP, "gp")], ids=["loop, tpe", "lockstep, gp"])
def pair(tmp_path_factory, workload, request):
    """The same search without and with an audit, by place, over two generations and a half."""
    folder = tmp_path_factory.mktemp("pair")
    engine, sampler = request.param
    return [
        by_place(
            run_search(f"sqlite:///{folder / name}.db", workload, 25, replace(changed, sampler=sampler), name, engine)
        )
        for name, changed in (("plain", SMALL), ("audited", AUDITED))
    ]


def test_the_search_is_the_same_but_for_the_audited_trials(pair):
    plain, audited = pair
    assert plain.keys() == audited.keys()
    chosen = {place for place, trial in audited.items() if audited_from(trial)}
    assert {plain[place].state for place in chosen} == {TrialState.PRUNED}
    for place in plain.keys() - chosen:
        assert substance(plain[place]) == substance(audited[place])
    for place in chosen:
        assert plain[place].params == audited[place].params
        assert audited[place].intermediate_values[1] == plain[place].intermediate_values[1]


def test_the_audited_run_to_their_end(pair):
    plain, audited = pair
    chosen = [trial for trial in audited.values() if audited_from(trial)]
    lost = {p for p, t in plain.items() if t.state == TrialState.PRUNED and not t.user_attrs["record"]["diverged"]}
    drawn = {place for place in lost if np.random.default_rng([0, *place, 1]).random() < 0.5}
    assert {place for place, trial in audited.items() if trial in chosen} == drawn
    assert 0 < len(drawn) < len(lost)
    for trial in chosen:
        if not trial.user_attrs["record"]["diverged"]:
            assert trial.state == TrialState.COMPLETE
            assert list(trial.intermediate_values) == [1, 4]
            assert trial.user_attrs["record"]["epochs_used"] == {"1": 1.0, "4": 4.0}


def test_three_rungs_judge_the_audited_once(storage, workload):
    """One that failed at the first rung neither competes at the second nor is tried there."""
    configuration = replace(AUDITED, epochs=6, rung_fractions=(0.2, 0.5), reduction=2)
    trials = run_search(storage, workload, 20, configuration)
    plain = by_place(run_search(storage, workload, 20, replace(configuration, audit=0.0), "plain"))
    starts = {audited_from(trial) for trial in trials} - {None}
    assert starts == {1, 3}
    for place, trial in by_place(trials).items():
        if audited_from(trial) == 1 and not trial.user_attrs["record"]["diverged"]:
            assert list(trial.intermediate_values) == [1, 6]
        if not audited_from(trial):
            assert substance(trial) == substance(plain[place])


@pytest.mark.parametrize(
    "pruner", [pytest.param(name, marks=() if name == "median" else pytest.mark.slow) for name in PRUNES_MIDWAY]
)
def test_the_classical_pruners_are_audited_too(pruner, storage, workload):
    configuration = replace(SMALL, pruner=pruner, trials_per_batch=1)
    plain = run_search(storage, workload, 25, configuration, "plain")
    audited = run_search(storage, workload, 25, replace(configuration, audit=0.5), "audited")
    chosen = [trial for trial in audited if audited_from(trial)]
    assert chosen
    for before, trial in zip(plain, audited, strict=True):
        assert before.params == trial.params
        if audited_from(trial):
            assert before.state == TrialState.PRUNED
            assert max(before.intermediate_values) == audited_from(trial)
            assert list(trial.intermediate_values) == [1, 2, 3, 4]
        else:
            assert substance(before) == substance(trial)


@pytest.mark.parametrize("evaluations", [12, 70])
def test_an_audited_search_goes_on_after_a_stop(evaluations, storage, tmp_path, workload, monkeypatch):
    monkeypatch.setattr("study.search.bracket.SAVE_EVERY", 0.0)
    whole = run_search(f"sqlite:///{tmp_path / 'whole.db'}", workload, 20, AUDITED)
    with open_small(storage, workload, AUDITED) as study, closing(study.search(20)) as steps:
        for _ in zip(range(evaluations), steps, strict=False):
            pass
    assert finished(run_search(storage, workload, 20, AUDITED)) == finished(whole)


def made(*rows, direction="minimize"):
    """A study of (family, value, complete, audited_from, diverged)."""
    return study_record(
        (
            replace(
                TRIAL, params={"family": family}, value=value, complete=complete, audited_from=start, diverged=diverged
            )
            for family, value, complete, start, diverged in rows
        ),
        direction,
    )


COMPLETE, PRUNED = True, False


def counts(audit):
    return audit.name, audit.pruned, audit.audited, audit.better_than_winner, audit.better_than_half


def test_what_is_counted():
    study = made(
        ("step", 0.2, COMPLETE, None, False),
        ("rex", 0.3, COMPLETE, None, False),
        ("rex", 0.6, COMPLETE, None, False),
        ("step", 0.9, PRUNED, None, False),
        ("rex", 0.8, PRUNED, None, False),
        ("rex", 1.0, PRUNED, None, True),  # diverged: no comparison was lost
        ("step", 0.1, COMPLETE, 1, False),  # better than the winner
        ("step", 0.25, COMPLETE, 1, False),  # better than half
        ("rex", 0.5, COMPLETE, 1, False),
        ("rex", 1.0, PRUNED, 1, True),  # let run on, and diverged
    )
    assert list(map(counts, audits(study))) == [("all", 2, 4, 1, 2), ("step", 1, 2, 1, 2), ("rex", 1, 2, 0, 0)]
    assert [line[:4] for line in audit_rows(study)] == [
        ["all", "2", "4", "1"],
        ["step", "1", "2", "1"],
        ["rex", "1", "2", "0"],
    ]


def test_if_larger_is_better():
    study = made(("step", 0.7, COMPLETE, None, False), ("rex", 0.8, COMPLETE, 1, False), direction="maximize")
    assert audits(study)[0].better_than_winner == 1


def test_studies_without_an_audit_or_a_winner_say_nothing():
    assert audits(made()) == audit_rows(made()) == []
    assert audits(made(("rex", 0.8, PRUNED, None, False))) == []
    assert audits(made(("rex", 0.8, COMPLETE, 1, False))) == [], "nothing to compare it with"


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_that_of_clopper_and_pearson(wrong_of):
    wrong, n = wrong_of
    rows = [("step", 0.5, COMPLETE, None, False)]
    rows += [("step", 0.1 if i < wrong else 0.9, COMPLETE, 1, False) for i in range(n)]
    low, high = audits(made(*rows))[0].wrong
    assert low == pytest.approx(beta.ppf(0.025, wrong, n - wrong + 1) if wrong else 0.0, abs=1e-6)
    assert high == pytest.approx(beta.ppf(0.975, wrong + 1, n - wrong) if wrong < n else 1.0, abs=1e-6)
