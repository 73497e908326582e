"""How peak and weight decay interact, in words and as a section."""

from dataclasses import replace

import pytest

from search_spaces.ranges import Choice, Float
from study.reports.decay_interaction import interaction_lines, interaction_section
from study.reports.search_report import search_sections
from study.reports.verdict import verdict_lines
from tests.example_studies import SETTINGS, draws, ended, ranged, study_record

SPACE = {
    "family": Choice(("rex", "linear")),
    "peak_lr": Float(1e-3, 5.0, log=True),
    "warmup_fraction_is_0": Choice((True, False)),
    "weight_decay": Float(1e-7, 10.0, log=True),
}


def study_with(decay, n=40, space=SPACE):
    """A study whose best trials have peaks near 0.1. decay: that of a trial with this peak and number."""
    rows = []
    for number, params in enumerate(draws(n)):
        peak = params["peak_lr"]
        own = {"family": "rex", "peak_lr": peak, "warmup_fraction_is_0": True, "weight_decay": decay(peak, number)}
        rows.append(ended(abs(peak - 0.1), 0.2 if number % 5 == 0 else None, params=own))
    return study_record(rows, settings=replace(SETTINGS, space=space))


@pytest.mark.parametrize(
    ("decay", "said"),
    [
        (
            lambda peak, _: 1e-4 / peak,
            "a higher peak goes with a lower weight decay (rank correlation -1.00",
        ),
        (lambda peak, _: 1e-3 * min(peak, 5), "a higher peak goes with a higher weight decay (rank correlation 1.00"),
        (lambda peak, number: 1e-5 * (1 + number * 17 % 41), "no interaction shown (rank correlation "),
    ],
)
def test_the_line_says_what_goes_with_what(decay, said):
    [line] = interaction_lines(study_with(decay))
    assert line.startswith(f"Peak and weight decay: {said}")
    assert "20 2-epoch runs of the better half)" in line
    assert line in verdict_lines(study_with(decay))


def test_few_trials_and_choices():
    [line] = interaction_lines(study_with(lambda peak, _: 1e-3, 19))
    assert line.endswith("at least 20 comparable runs are needed to show an interaction; this study has 19.")
    choices = {**SPACE, "weight_decay": Choice((0.0, 1e-3))}
    study = study_with(lambda peak, _: 0.0, space=choices)
    assert "the better half (20 2-epoch runs) has one value of peak_lr or weight decay" in interaction_lines(study)[0]
    assert interaction_section(study).figures == {}, "0 has no place on a log scale"


def test_the_section_shows_each_trial():
    section = interaction_section(study_with(lambda peak, number: 1e-5 * (1 + number * 17 % 41)))
    [(name, picture)] = section.figures.items()
    assert name in section.body
    assert picture.startswith(b"<svg")
    assert b'id="better"' in picture
    assert b'id="others"' in picture
    assert "peak\\_lr times weight decay in the better half: " in section.body


def test_it_is_part_of_the_report_of_a_study_that_searches_it():
    found = [section.title for section in search_sections(study_with(lambda peak, _: 1e-3))]
    assert "Peak and weight decay" in found
    without = ranged([ended(0.5) for _ in range(30)])
    assert interaction_section(without) is None
    assert interaction_lines(without) == []
