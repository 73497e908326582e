"""Shares of rows are written in percent, everything else as it is."""

import pytest

from study.analysis.statistics import Interval
from study.reports.measure import Measure, confirmed_measure, validation_measure
from tests.example_studies import ERROR, study_record

LENGTH = Measure("val_rmse", "mm")


@pytest.mark.parametrize(
    ("measure", "value", "written"),
    [
        (ERROR, 0.28375, "28.4 %"),
        (ERROR, 0.1, "10.0 %"),
        (ERROR, 0.0173, "1.73 %"),
        (ERROR, 0.0, "0.00 %"),
        (LENGTH, 0.28375, "0.2838 mm"),
        (LENGTH, 1234.5, "1234 mm"),
    ],
)
def test_a_value_in_a_sentence(measure, value, written):
    assert measure.text(value) == written


def test_an_interval_has_the_decimals_of_its_mean():
    assert ERROR.interval(Interval(0.285, 0.279, 0.29, 16)) == "28.5 [27.9, 29.0]"
    assert ERROR.interval(Interval(-0.0564, -0.0663, -0.0464, 16), "+") == "-5.64 [-6.63, -4.64]"
    assert LENGTH.interval(Interval(0.5, 0.25, 1, 3), "+") == "+0.5 [+0.25, +1]"


def test_the_measures_of_a_study():
    study = study_record(direction="maximize")
    assert validation_measure(study) == ("val_error", "fraction of rows", True)
    assert confirmed_measure(study).axis == "test_error (%)"
    assert LENGTH.axis == "val_rmse (mm)"
