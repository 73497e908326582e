"""Which schedules are tried for a longer run, and which of them is used."""

from dataclasses import replace

import pytest

from search_spaces import InputError
from study.analysis.extension import ENOUGH_STEPS, LONGEST, Extension, best_run
from study.storage.finals import FinalRun, Finals
from tests.answers import SEEDS, around, confirmed
from tests.example_studies import ended, row, study_record

STUDY = confirmed(around(0.28), around(0.31))  # of 20 epochs, 16 steps each


def test_one_run_is_of_the_schedule_that_the_study_recommends():
    one = Extension.of(STUDY, 200, 1)
    assert one.trials == (one.recommended,)
    assert one.recommended.family == "rex"
    assert Extension.of(STUDY, 200, 0).trials == ()
    tied = confirmed(around(0.3), around(0.3))
    assert Extension.of(tied, 40, 1).recommended.is_reference, "what the answer recommends is extended"


def test_more_runs_are_of_the_finalists_with_the_best_means():
    """By one run each the order is 0, 1, 2, 3; over seeds it is 2, 0, 3, 1."""
    trials = [
        row(family, 0.1, 0.5, 0.3 + 0.01 * place) for place, family in enumerate(("rex", "wsd", "step", "linear"))
    ]
    means = {0: 0.32, 1: 0.36, 2: 0.31, 3: 0.33}
    choosing = [
        FinalRun(trial, seed, mean + off, None) for trial, mean in means.items() for seed, off in ((1, 0.1), (2, -0.1))
    ]
    confirming = [FinalRun(2, seed, 0.3, 0.3) for seed in SEEDS]
    finals = Finals((0, 1, 2, 3), (), (1, 2), SEEDS, winner=2, runs=(*choosing, *confirming))
    study = study_record(trials, finals=finals)
    assert [trial.number for trial in Extension.of(study, 40, 3).trials] == [2, 0, 3]
    assert [trial.number for trial in Extension.of(study, 40, 2).trials] == [2, 0]
    unconfirmed = replace(study, finals=None)
    assert [trial.number for trial in Extension.of(unconfirmed, 40, 3).trials] == [0, 1, 2], "then by one run"
    upwards = replace(study, metric=replace(study.metric, direction="maximize"))
    assert [trial.number for trial in Extension.of(upwards, 40, 3).trials] == [2, 1, 3], "first what is recommended"


def test_a_trial_that_diverged_is_not_tried():
    study = study_record([ended(0.5, 0.3), ended(0.5, 1.0, diverged=True)])
    assert [trial.number for trial in Extension.of(study, 40, 3).trials] == [0]


def test_few_steps_are_too_few_for_the_peak():
    for steps, scarce in ((ENOUGH_STEPS // 20, True), (ENOUGH_STEPS // 20 + 1, False)):
        assert Extension.of(replace(STUDY, steps_per_epoch=steps), 200, 1).scarce == (20 * steps < 250) == scarce


def test_the_best_run_is_one_that_has_not_diverged():
    good, better, lost = FinalRun(0, 9, 0.4, 0.5), FinalRun(1, 9, 0.3, 0.6), FinalRun(2, 9, 1.0, None)
    assert best_run(STUDY, [good, better, lost]) == better, "by validation"
    assert best_run(STUDY, [lost, good]) == good
    assert best_run(STUDY, [lost]) is None
    upwards = replace(STUDY, metric=replace(STUDY.metric, direction="maximize", worst=0.0))
    assert best_run(upwards, [good, better, lost._replace(validation=0.0)]) == good


@pytest.mark.parametrize("budget", [0, 20, 20 * LONGEST + 1])
def test_a_budget_that_is_not_longer_or_too_long_is_refused(budget):
    with pytest.raises(InputError, match=rf"--epochs must be above the study's 20, and at most {LONGEST} times that"):
        Extension.of(STUDY, budget, 3)


def test_a_study_without_a_winner_is_refused():
    with pytest.raises(InputError, match="no trial has finished a full run"):
        Extension.of(study_record([]), 40, 1)
