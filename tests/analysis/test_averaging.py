"""What averaging did for a schedule, by numbers that were made so."""

from dataclasses import replace

import pytest
from scipy import stats

from study.analysis.averaging import Averaging
from study.storage.finals import FinalRun
from study.storage.trial_record import TrialRecord
from tests.answers import SEEDS, around, confirmed
from tests.example_studies import ended, study_record

GAINS = (0.02, 0.03, 0.01, 0.04, 0.02, 0.03, 0.02, 0.03)


def averaging(study, gains, raw_values=(0.31, 0.36)):
    """The study with raw values that are worse than averaged ones by these gains, for every seed of a trial."""
    by_seed = dict(zip(SEEDS, gains, strict=True))
    runs = tuple(run._replace(raw=run.validation + by_seed[run.seed]) for run in study.finals.runs)
    trials = tuple(replace(one, raw_value=raw) for one, raw in zip(study.trials, raw_values, strict=True))
    return replace(study, trials=trials, finals=replace(study.finals, runs=runs))


def test_the_gain_is_paired_by_seed():
    found = Averaging.of(averaging(confirmed(around(0.3), around(0.4)), GAINS))
    expected = stats.ttest_1samp(GAINS, 0).confidence_interval()
    assert found.gain[:3] == pytest.approx((sum(GAINS) / 8, expected.low, expected.high))
    assert (found.gain.n, found.better_in, found.full_runs, found.tied) == (8, 2, 2, False)
    assert found.raw - found.averaged == pytest.approx(sum(GAINS) / 8)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_better_is_better_in_both_directions(direction):
    values = (around(0.3), around(0.4)) if direction == "minimize" else (around(0.4), around(0.3))
    found = Averaging.of(averaging(confirmed(*values, direction=direction), GAINS))
    assert (found.gain.mean > 0) == (direction == "minimize")
    assert found.better_in == (2 if direction == "minimize" else 0)


def test_seeds_that_disagree_are_tied():
    gains = (0.02, -0.02, 0.01, -0.01, 0.02, -0.02, 0.01, -0.01)
    assert Averaging.of(averaging(confirmed(around(0.3), around(0.4)), gains)).tied


def test_unconfirmed_it_is_that_of_the_best_run():
    found = Averaging.of(study_record([ended(0.5, 0.3, raw_value=0.35), ended(0.5, 0.4, raw_value=0.39)]))
    assert (found.averaged, found.raw, found.gain.n, found.better_in, found.full_runs) == (0.3, 0.35, 1, 1, 2)
    assert found.tied


def test_nothing_is_said_without_an_average():
    assert Averaging.of(study_record()) is None
    assert Averaging.of(confirmed(around(0.3), around(0.4))) is None


def test_raw_values_are_stored_only_if_there_are_any():
    trial = ended(0.5, 0.3, raw_value=0.35, params={"family": "constant", "peak_lr": 0.1, "warmup_fraction_is_0": True})
    for one in (trial, replace(trial, raw_value=None)):
        read = TrialRecord.read(one.number, one.complete, one.value, one.params, one.reported, one.stored)
        assert read.raw_value == one.raw_value
    assert "raw_value" not in replace(trial, raw_value=None).stored["record"]
    assert FinalRun(0, 1, 0.3, None).stored == [0, 1, 0.3, None]
    assert FinalRun(0, 1, 0.3, None, 0.4).stored == [0, 1, 0.3, None, 0.4]
