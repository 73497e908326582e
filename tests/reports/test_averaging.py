"""What is said of averaged weights."""

from dataclasses import replace

import pytest

from search_spaces.ranges import Choice
from study.reports.averaging import averaging_lines
from study.reports.verdict import verdict_lines
from tests.example_studies import SETTINGS, ended, study_record

REX = {"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True}

SPACE = {**SETTINGS.space, "warmup_fraction_is_0": Choice((True, False))}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (0.35, "Weights: averaged ones are better, validation error 30.0 % averaged, 35.0 % raw, in one run; "),
        (0.25, "Weights: raw ones are better, validation error 30.0 % averaged, 25.0 % raw, in one run; "),
        (0.3, "Weights: equal, validation error 30.0 % averaged, 30.0 % raw, in one run; "),
    ],
)
def test_the_better_weights_are_named(raw, said):
    trials = [ended(0.5, full, raw_value=value, params=REX) for full, value in ((0.3, raw), (0.4, 0.41))]
    study = study_record(trials, settings=replace(SETTINGS, space=SPACE))
    (line,) = averaging_lines(study)
    assert line.startswith(said)
    assert line.endswith(f"averaged ones were better in {1 + (raw > 0.3)} of 2 full runs of the search.")
    assert line in verdict_lines(study)


def test_a_study_without_an_average_says_nothing():
    assert averaging_lines(study_record([ended(0.5, 0.3)])) == []
