"""Longer runs of a study's schedules: stored one by one, trained once."""

from dataclasses import replace

import pytest

from study.objective import FIRST_FRESH_SEED
from study.search.extend import confirming_seeds, extending
from study.search.finals import SELECTION_SEEDS, finals_of
from study.storage.longer_runs import longer_runs
from tests.helpers import SMALL, open_small


@pytest.fixture
def searched(storage, workload):
    """An open study with four trials that ran in full."""
    configuration = replace(SMALL, epochs=1, rung_fractions=(), families=("cosine", "rex"))
    with open_small(storage, workload, configuration) as study:
        for _ in study.search(4):
            pass
        yield study


def runs(study, budget=2):
    return longer_runs(study.optuna_study.user_attrs, budget)


def test_runs_that_were_left_are_stored_and_not_trained_again(searched):
    def extended(*seeds):
        return extending(searched.optuna_study, searched.record, searched.executor, [0, 3], 2, *seeds)

    for _ in extended():
        if runs(searched):
            break
    [first] = runs(searched)
    whole = list(extended())
    assert whole[0].trained > 1, "one has ended before"
    assert whole[-1].trained == 2
    assert runs(searched)[0] == first
    assert [(run.trial, run.seed) for run in runs(searched)] == [(0, FIRST_FRESH_SEED), (3, FIRST_FRESH_SEED)]
    assert list(extended()) == []
    *_, last = extended((5, 6))
    assert (last.trained, last.total) == (4, 4)
    assert len({(run.trial, run.seed) for run in runs(searched)}) == len(runs(searched)) == 6
    assert all(run.test is not None for run in runs(searched))
    assert runs(searched, budget=3) == []


def test_a_run_that_was_stopped_raises_and_is_not_stored(searched):
    own = (searched.optuna_study, searched.record, searched.executor, [0], 2)
    with pytest.raises(KeyboardInterrupt):
        list(extending(*own, stop=lambda run: True))
    assert runs(searched) == []


def test_the_seeds_that_confirm_are_not_those_that_choose(searched):
    finals = finals_of(searched.record, 4)
    assert confirming_seeds(4) == finals.seeds
    assert not {FIRST_FRESH_SEED, *range(FIRST_FRESH_SEED, FIRST_FRESH_SEED + SELECTION_SEEDS)} & {*confirming_seeds(4)}
