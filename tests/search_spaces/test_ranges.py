"""Ranges against what Optuna records and stores."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution, IntDistribution, distribution_to_json
from optuna.trial import FixedTrial

from search_spaces import FAMILIES, SGD_PEAK_LR, Cosine, InputError, from_params, space, suggest
from search_spaces.distributions import as_distribution, as_range, range_from_json, range_to_json
from search_spaces.ranges import Choice, Either, Float, Integer, draw_parameter, share_of_range
from tests.drawing import every_family
from tests.helpers import ROOT


def ends(numbers):
    return st.tuples(numbers, numbers).map(sorted)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LINEAR = ends(FLOATS).map(lambda pair: Float(*pair))
LOG = ends(st.floats(1e-300, 1e300)).map(lambda pair: Float(*pair, log=True))
INTEGERS = ends(st.integers(-(2**53), 2**53)).map(lambda pair: Integer(*pair))
OPTIONS = st.lists(st.booleans() | st.integers() | FLOATS | st.text(), min_size=1, unique_by=repr)
RANGES = LINEAR | LOG | INTEGERS | OPTIONS.map(lambda options: Choice(tuple(options)))


def recorded(searched):
    """The distribution that Optuna itself records when a trial is asked for a parameter."""
    value = searched.options[0] if isinstance(searched, Choice) else searched.low
    trial = FixedTrial({"x": value})
    assert draw_parameter(trial, "x", searched) == value
    return trial.distributions["x"]


@given(RANGES)
def test_a_range_becomes_what_optuna_records_and_comes_back(searched):
    # By their repr: to ==, an option True is an option 1.
    assert repr(as_distribution(searched)) == repr(recorded(searched))
    assert repr(as_range(as_distribution(searched))) == repr(searched)


@given(RANGES)
def test_a_range_is_stored_as_optuna_stores_it_and_comes_back(searched):
    stored = json.dumps(range_to_json(searched))
    assert stored == distribution_to_json(recorded(searched))
    assert repr(range_from_json(json.loads(stored))) == repr(searched)


def test_the_space_of_a_study_made_before_is_stored_in_the_same_words(tmp_path):
    shutil.copy(ROOT / "tests/data/format-3.db", tmp_path / "old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        query = "SELECT value_json FROM study_user_attributes WHERE key = 'configuration'"
        configurations = [json.loads(text) for (text,) in connection.execute(query)]
    assert {len(configuration["families"]) for configuration in configurations} == {1, 15}
    for configuration in configurations:
        found = space(configuration["families"], SGD_PEAK_LR)
        assert {name: range_to_json(searched) for name, searched in found.items()} == configuration["space"]
        assert {name: range_from_json(stored) for name, stored in configuration["space"].items()} == found


@every_family
def test_a_trial_is_asked_for_the_space_and_nothing_else(family):
    """By Optuna's own record of 30 trials: each parameter with its range, and in one trial or another all of them."""
    optuna_study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    expected = {name: as_distribution(searched) for name, searched in space([family], SGD_PEAK_LR).items()}
    asked = {}
    for _ in range(30):
        trial = optuna_study.ask()
        schedule = suggest(trial, [family])
        assert from_params(trial.params) == schedule
        assert trial.distributions.items() <= expected.items()
        asked |= trial.distributions
    assert asked == expected


@pytest.mark.parametrize("distribution", [FloatDistribution(0, 1, step=0.5), IntDistribution(1, 8, log=True)])
def test_what_no_range_of_ours_says_is_refused(distribution):
    with pytest.raises(InputError, match="a range must have no step, and no log scale for integers"):
        as_range(distribution)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Float(2.0, 1.0), r"low must be at most high, but \(2.0, 1.0\) was given"),
        (lambda: Float(float("nan"), 1.0), "low must be at most high"),
        (lambda: Float(0.0, 1.0, log=True), "low must be above 0 if log is true, but 0.0 was given"),
        (lambda: Integer(2, 1), r"low must be at most high, but \(2, 1\) was given"),
        (lambda: Choice(()), r"a choice needs at least one option, but \(\) was given"),
        (lambda: suggest(FixedTrial({"family": "rex"}), ["rex"], peak_lr=(1.0, 0.1)), "low must be at most high"),
        (lambda: from_params({"peak_lr": 0.1}), "the parameter 'family' is missing: peak_lr were given"),
        (lambda: from_params({"family": "rex", "peak_lr": 0.1}), "the parameter 'warmup_fraction_is_0' is missing"),
    ],
)
def test_bad_ranges_and_missing_parameters_are_input_errors(make, said):
    with pytest.raises(InputError, match=said):
        make()


@given(st.floats(1e-6, 1e6), st.floats(1.001, 1e6), st.floats(0, 1), st.booleans())
def test_a_share_of_a_range_leads_back_to_the_value(low, factor, share, log):
    value = low * factor**share if log else low + share * (factor - 1) * low
    assert share_of_range(value, Float(low, factor * low, log)) == pytest.approx(share, abs=1e-9)


def test_shares_of_ranges_of_which_the_middle_is_known():
    assert share_of_range(4, Integer(2, 6)) == 0.5
    assert share_of_range(2, Integer(2, 6)) == 0
    assert share_of_range(10.0, Float(1.0, 1000.0, log=True)) == pytest.approx(1 / 3)
    assert share_of_range(3, Integer(3, 3)) == share_of_range(0.1, Float(0.1, 0.1, log=True)) == 0.5


def test_an_exact_value_is_asked_for_first():
    domain = Either(0.0, Float(0.1, 0.2))
    assert draw_parameter(FixedTrial({"x_is_0": True}), "x", domain) == 0.0
    assert draw_parameter(FixedTrial({"x_is_0": False, "x": 0.15}), "x", domain) == 0.15


WITHOUT_OPTUNA = """
import json, sys, warnings
warnings.simplefilter("error")
sys.modules["optuna"] = sys.modules["sqlalchemy"] = None
from search_spaces.families.cosine import Cosine
import torch
optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": lr} for lr in (1.0, 0.5)])
scheduler = Cosine(peak_lr=0.1, warmup_fraction=0.2).build(optimizer, 10)
rates = []
for step in range(10):
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    scheduler.step()
from search_spaces import from_params
params = json.loads(sys.argv[1])
schedule = from_params(params)
import search_spaces.export, search_spaces.schedule_file, search_spaces.space_file
print(json.dumps([rates, repr(schedule), search_spaces.schedule_file.as_written(params)["parameters"],
    len(search_spaces.space_file.read_space("all").families)]))
"""


def test_schedules_need_no_optuna():
    params = {
        "family": "cosine",
        "peak_lr": 0.1,
        "warmup_fraction_is_0": False,
        "warmup_fraction": 0.2,
        "cosine.t_max_fraction_is_1": True,
        "cosine.floor_ratio_is_0": True,
    }
    command = [sys.executable, "-c", WITHOUT_OPTUNA, json.dumps(params)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    rates, schedule, parameters, families = json.loads(ran.stdout)
    expected = Cosine(peak_lr=0.1, warmup_fraction=0.2)
    assert rates == [lr for lr, _ in expected.simulate(10)]
    assert schedule == repr(expected)
    assert parameters == {"warmup_fraction": 0.2, "t_max_fraction": 1.0, "floor_ratio": 0.0}
    assert families == len(FAMILIES)
