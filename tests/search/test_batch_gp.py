"""BatchGP: one fit a batch, to a limited number of trials, and what it finds."""

import math

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import create_trial
from sklearn.gaussian_process import GaussianProcessRegressor

from search_spaces import suggest
from study.search.samplers import batch_gp
from study.search.samplers.batch_gp import DECIDING, LEARNT_FROM, BatchGP, learnt_from
from study.search.samplers.gaussian_process import expected_improvement
from tests.helpers import ROOT

RANGES = {
    "x": optuna.distributions.FloatDistribution(0.0, 1.0),
    "y": optuna.distributions.FloatDistribution(1e-3, 1.0, log=True),
    "one": optuna.distributions.FloatDistribution(0.5, 0.5),
}


def bowl(trial):
    """0 at its best, x = 0.8 and y = 0.1."""
    return (trial.params["x"] - 0.8) ** 2 + math.log10(trial.params["y"] / 0.1) ** 2


def searched(sampler, trials, batch=5, sign=1, study=None):
    """A study, asked batch by batch."""
    study = study or optuna.create_study(direction="minimize" if sign == 1 else "maximize")
    for begin in range(0, trials, batch):
        study.sampler = sampler(begin)
        asked = [study.ask(RANGES) for _ in range(batch)]
        for trial in asked:
            study.tell(trial, sign * bowl(trial))
    return study


@pytest.fixture
def fits(monkeypatch):
    """How many points each fit had, and how many of them decided on its kernel."""
    noted, fit = [], batch_gp.fitted_process

    def noting(columns, parameter_of_column, values, deciding):
        noted.append((len(columns), len(deciding)))
        return fit(columns, parameter_of_column, values, deciding)

    monkeypatch.setattr(batch_gp, "fitted_process", noting)
    return noted


@pytest.mark.parametrize("sign", [1, -1])
def test_it_finds_what_random_search_does_not(sign):
    ours = searched(lambda begin: BatchGP(begin, 10), 30, sign=sign)
    theirs = searched(lambda begin: RandomSampler(seed=begin), 200, sign=sign)
    assert sign * ours.best_value < 0.005
    assert sign * ours.best_value < sign * theirs.best_value


def test_one_fit_a_batch_to_all_finished_trials(fits):
    searched(lambda begin: BatchGP(begin, 10), 30)
    assert fits == [(10, 10), (15, 15), (20, 20), (25, 25)]


def test_a_suggestion_counts_as_tried_with_the_value_that_is_predicted():
    """The second is the most promising for a process that has learnt the first as a trial."""
    sampler = BatchGP(0, 10)
    study = searched(lambda _: sampler, 10)
    sampler.infer_relative_search_space(study, None)
    before = sampler.believer
    process = GaussianProcessRegressor(before.kernel, alpha=before.noise, optimizer=None)
    values = np.array([trial.value for trial in study.trials])
    values = (values - values.mean()) / values.std()
    columns = sampler.coordinates.columns(sampler.coordinates.points([trial.params for trial in study.trials]))
    for _ in range(4):
        mean, deviation = process.fit(columns, values).predict(before.candidates, return_std=True)
        improvement = expected_improvement(mean, deviation, values.min())
        promising = np.where(sampler.suggested, -1, improvement).argmax()
        found = sampler.sample_relative(study, None, sampler.shared)
        assert found == sampler.coordinates.params(sampler.candidates[promising])
        columns = np.vstack([columns, before.candidates[promising]])
        values = np.append(values, mean[promising])


def test_one_sampler_fits_again_once_a_trial_has_finished(fits):
    sampler = BatchGP(0, 4)
    searched(lambda _: sampler, 8, batch=2)
    assert fits == [(4, 4), (6, 6)]


def test_a_batch_does_not_repeat_itself():
    study = searched(lambda begin: BatchGP(begin, 10), 40, batch=10)
    last = [(trial.params["x"], trial.params["y"]) for trial in study.trials[-10:]]
    assert len(set(last)) == 10


@pytest.mark.parametrize(
    ("trials", "startup_trials", "points", "deciding"),
    [(200, 20, 200, 200), (201, 20, 200, DECIDING), (250, 300, 0, 0), (350, 300, 300, DECIDING)],
)
def test_a_fit_is_limited(trials, startup_trials, points, deciding, fits):
    study = optuna.create_study()
    asked = searched(lambda begin: RandomSampler(seed=begin), trials, batch=trials)
    study.add_trials(asked.trials)
    searched(lambda begin: BatchGP(begin, startup_trials), 5, study=study)
    assert fits == [(points, deciding)] * bool(points)


VALUES = np.random.default_rng(0).random(2000)


@pytest.mark.parametrize("number", [0, 1, 199, 200])
def test_few_trials_are_all_learnt_from(number):
    assert learnt_from(VALUES[:number], 200).tolist() == list(range(number))


@pytest.mark.parametrize("number", [201, 450, 2000])
def test_of_many_trials_the_best_and_a_spread_are_learnt_from(number):
    found = learnt_from(VALUES[:number], 200).tolist()
    assert len(set(found)) == 200
    assert found == sorted(found)
    best = set(np.argsort(VALUES[:number])[:100])
    assert best <= set(found)
    others = [place for place in found if place not in best]
    assert others[0] == min(set(range(number)) - best)
    assert others[-1] == max(set(range(number)) - best)
    assert max(np.diff(others)) <= 2.5 * (number - 100) / 99 + 10


def test_the_help_names_the_number():
    said = (ROOT / "docs" / "command-line.md").read_text()
    assert f"learns from at most {LEARNT_FROM} trials" in said


def test_only_what_all_trials_share_is_suggested_together():
    """Of all families that is the family and the peak; of one, its own parameters too."""
    for families, shared in (
        (("cosine", "one_cycle", "rex"), {"family", "peak_lr"}),
        (("linear",), {"peak_lr", "warmup_fraction_is_0", "linear.end_ratio_is_0"}),
    ):
        study = optuna.create_study()
        for number in range(40):
            study.sampler = RandomSampler(seed=number)
            trial = study.ask()
            suggest(trial, families)
            study.tell(trial, trial.params["peak_lr"])
        sampler = study.sampler = BatchGP(0, 10)
        suggest(study.ask(), families)
        assert set(sampler.shared) == shared


def test_a_study_of_one_value_has_nothing_to_learn(fits):
    single = {"one": RANGES["one"]}
    study = optuna.create_study(sampler=BatchGP(0, 2))
    for _ in range(4):
        study.tell(study.ask(single), 1.0)
    assert [trial.params for trial in study.trials] == [{"one": 0.5}] * 4
    assert fits == []


def test_equal_values_and_equal_trials_are_no_obstacle():
    study = optuna.create_study(sampler=BatchGP(0, 2))
    same = create_trial(value=1.0, params={"x": 0.5}, distributions={"x": RANGES["x"]})
    study.add_trials([same] * 30)
    assert 0 <= study.ask({"x": RANGES["x"]}).params["x"] <= 1


def test_more_trials_than_values_are_no_obstacle():
    ranges = {"flag": optuna.distributions.CategoricalDistribution((True, False))}
    study = optuna.create_study(sampler=BatchGP(0, 2))
    for _ in range(2):
        study.tell(study.ask(ranges), 1.0)
    asked = [study.ask(ranges).params["flag"] for _ in range(6)]
    assert set(asked) == {True, False}
