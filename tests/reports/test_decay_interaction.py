"""How peak and weight decay interact, in words and as a section."""

import math
import re
from dataclasses import replace

import pytest

from search_spaces.ranges import Choice, Float
from study.reports.decay_interaction import interaction_lines
from study.reports.decay_interaction_section import interaction_section
from study.reports.search_report import search_sections
from study.reports.verdict import verdict_lines
from tests.example_studies import SETTINGS, draws, ended, ranged, study_record

SPACE = {
    "family": Choice(("rex", "linear")),
    "peak_lr": Float(1e-3, 5.0, log=True),
    "warmup_fraction_is_0": Choice((True, False)),
    "weight_decay": Float(1e-7, 10.0, log=True),
}


DECAYS = tuple(1e-5 * (1 + number * 17 % 41) for number in range(40))
"""Forty weight decays, all different."""


def study_with(value, decays=DECAYS, space=SPACE):
    """A study with these weight decays. value: of a trial, by the logarithms of its peak and weight decay."""
    rows = []
    for number, (params, decay) in enumerate(zip(draws(len(decays)), decays, strict=True)):
        peak = params["peak_lr"]
        own = {"family": "rex", "peak_lr": peak, "warmup_fraction_is_0": True, "weight_decay": decay}
        found = 0.5 + (value(math.log(peak), math.log(decay or 1)) + number * 7 % 5 / 10) / 20
        rows.append(ended(found, found if number % 5 == 0 else None, params=own))
    return study_record(rows, settings=replace(SETTINGS, space=space))


def additive(peak, decay):
    return peak / 2 + decay / 3


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (lambda p, d: abs(p + d + 11), r"a higher peak goes with a lower weight decay \(product term 0\.\d+ \[0\."),
        (lambda p, d: abs(p - d - 7), r"a higher peak goes with a higher weight decay \(product term -0\.\d+ \[-0\."),
        (additive, r"no interaction shown \(product term -?0\.\d+ \[-0\."),
    ],
)
def test_the_line_says_what_goes_with_what(value, said):
    study = study_with(value)
    [line] = interaction_lines(study)
    assert re.fullmatch(rf"Peak and weight decay: {said}\d+, -?\d\.\d+\], 40 2-epoch runs\)\.", line)
    assert line in verdict_lines(study)


def test_few_trials_and_choices():
    [line] = interaction_lines(study_with(additive, DECAYS[:19]))
    assert line.endswith("at least 20 comparable runs are needed to show an interaction; this study has 19.")
    choices = {**SPACE, "weight_decay": Choice((0.0, 1e-3))}
    study = study_with(additive, (0.0, 1e-3) * 20, choices)
    said = "no quadratic can be fitted (40 2-epoch runs): a weight decay is 0, or too few different ones were tried."
    assert interaction_lines(study) == [f"Peak and weight decay: {said}"]
    assert interaction_section(study).figures == {}, "0 has no place on a log scale"


def test_the_section_shows_each_trial():
    section = interaction_section(study_with(additive))
    [(name, picture)] = section.figures.items()
    assert name in section.body
    assert picture.startswith(b"<svg")
    assert b'id="better"' in picture
    assert b'id="others"' in picture
    product = "peak\\_lr times weight decay in the better half: "
    assert product not in section.body
    assert product in interaction_section(study_with(lambda p, d: abs(p + d + 11))).body


def test_it_is_part_of_the_report_of_a_study_that_searches_it():
    found = [section.title for section in search_sections(study_with(additive))]
    assert "Peak and weight decay" in found
    without = ranged([ended(0.5) for _ in range(30)])
    assert interaction_section(without) is None
    assert interaction_lines(without) == []
