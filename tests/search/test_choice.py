"""The samplers: their names, and that each depends only on its seed."""

from dataclasses import replace

import optuna
import pytest

from search_spaces import InputError, suggest
from study.search.configuration import SAMPLERS
from study.search.samplers.batch_gp import BatchGP
from study.search.samplers.choice import make_sampler
from tests.helpers import SMALL, run_search


def drawn(name, seed, bracket=0, batch=0, startup_trials=3):
    """The parameters of eight trials, of a study that minimises peak_lr."""
    study = optuna.create_study(sampler=make_sampler(name, startup_trials, seed, bracket, batch))
    for _ in range(8):
        trial = study.ask()
        suggest(trial)
        study.tell(trial, trial.params["peak_lr"])
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_seed_decides_and_matters(name):
    assert drawn(name, 0) == drawn(name, 0)
    others = [drawn(name, 1), drawn(name, 0, bracket=1), drawn(name, 0, batch=1)]
    assert all(drawn(name, 0) != other for other in others)


@pytest.mark.parametrize("name", ["tpe", "tpe-univariate", "tpe-group", "gp", "gp-optuna"])
def test_the_first_trials_are_random_the_others_learn(name):
    """With the same seed, more trials at random change what comes after the fewer, not before."""
    few, many = drawn(name, 0, startup_trials=3), drawn(name, 0, startup_trials=8)
    assert few[:3] == many[:3]
    assert few != many


def test_quasi_random_numbers_go_on_in_the_next_batch():
    """Two batches of one bracket draw different points of one sequence: each half of the range gets its half."""
    study = optuna.create_study()
    for batch in range(2):
        study.sampler = make_sampler("qmc", 10, 0, 0, batch)
        for _ in range(8):
            trial = study.ask()
            trial.suggest_float("peak_lr", 0, 1)
            study.tell(trial, 0.0)
    later = [trial.params["peak_lr"] for trial in study.trials[1:]]  # the first is drawn before the space is known
    eighths = [int(8 * value) for value in later[:8]]
    assert sorted(eighths) == list(range(8))
    assert len(set(later)) == 15


def test_optunas_advice_on_conditional_spaces_is_not_printed(storage, workload, caplog):
    """Its sampler says at each batch that no parameter may depend on another, as ours do on the family."""
    optuna.logging.enable_propagation()  # to what collects the records
    try:
        with pytest.warns(optuna.exceptions.ExperimentalWarning):
            study = optuna.create_study(sampler=optuna.samplers.QMCSampler(seed=0))
        for _ in range(8):
            suggest(study.ask())
        assert "does not include any conditions" in caplog.text
        caplog.clear()
        run_search(storage, workload, 20, replace(SMALL, sampler="qmc"))
    finally:
        optuna.logging.disable_propagation()
    assert caplog.text == ""


@pytest.mark.parametrize(("name", "sampler"), [("gp", BatchGP), ("gp-optuna", optuna.samplers.GPSampler)])
def test_a_gaussian_process_learns_from_short_runs(name, sampler, storage, workload, monkeypatch):
    """It would wait for complete trials otherwise, of which a bracket has none until its end."""
    learnt = []
    sample = sampler.sample_relative

    def noted(self, study, trial, search_space):
        found = sample(self, study, trial, search_space)
        learnt.append(bool(found))
        return found

    monkeypatch.setattr(sampler, "sample_relative", noted)
    run_search(storage, workload, 20, replace(SMALL, sampler=name, startup_trials=5))
    assert len(learnt) == 20
    assert not any(learnt[:5])
    assert all(learnt[5:])


def test_unknown_names():
    with pytest.raises(InputError, match="unknown sampler 'tp': did you mean 'tpe'"):
        make_sampler("tp", 10, 0, 0, 0)
