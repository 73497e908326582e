"""Which schedules are tried for a longer run."""

from dataclasses import replace

import pytest

from search_spaces import InputError
from study.analysis.extension import APART, ENOUGH_STEPS, LONGEST, Extension
from tests.answers import around, confirmed
from tests.example_studies import study_record

STUDY = confirmed(around(0.28), around(0.31))  # of 20 epochs, 16 steps each


def test_the_recommended_schedule_is_tried_at_its_own_peak_and_beside_it():
    one = Extension.of(STUDY, 200, 1)
    assert [schedule.family for schedule in one.schedules] == ["rex"]
    assert one.schedules[0] == one.trial.schedule
    assert Extension.of(STUDY, 200, 0).schedules == ()
    enough = replace(STUDY, steps_per_epoch=ENOUGH_STEPS // 20 + 1)
    for study, places in ((enough, (0, -1, 1)), (replace(STUDY, steps_per_epoch=ENOUGH_STEPS // 20 - 1), (0, -1, -2))):
        three = Extension.of(study, 200, 3)
        assert [one.peak_lr for one in three.schedules] == pytest.approx([0.27 * APART**place for place in places])
        assert three.scarce == (places == (0, -1, -2))
    tied = confirmed(around(0.3), around(0.3))
    assert Extension.of(tied, 40, 1).trial.is_reference, "what the answer recommends is extended"


@pytest.mark.parametrize("budget", [0, 20, 20 * LONGEST + 1])
def test_a_budget_that_is_not_longer_or_too_long_is_refused(budget):
    with pytest.raises(InputError, match=rf"--epochs must be above the study's 20, and at most {LONGEST} times that"):
        Extension.of(STUDY, budget, 3)


def test_the_number_of_runs_and_a_study_without_a_winner():
    with pytest.raises(InputError, match="--runs must be 0, 1 or 3, but 2 was given"):
        Extension.of(STUDY, 40, 2)
    with pytest.raises(InputError, match="no trial has finished a full run"):
        Extension.of(study_record([]), 40, 1)
