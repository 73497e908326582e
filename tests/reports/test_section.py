"""Sentences that reports share."""

from dataclasses import replace

import pytest

from study.reports.section import setting
from tests.example_studies import SETTINGS, study_record


@pytest.mark.parametrize(
    ("unit", "own_training", "said"),
    [
        ("epochs", None, "digits, model mlp, optimizer sgd (weight decay 0.0005), batches of 64, 16 steps an epoch"),
        ("steps", None, "digits, model mlp, optimizer sgd (weight decay 0.0005), batches of 64"),
        ("epochs", "train.py", "train.py, 16 steps an epoch"),
        ("steps", "train.py", "train.py"),
    ],
)
def test_epochs_are_only_named_where_runs_are_measured_in_them(unit, own_training, said):
    assert setting(study_record(settings=replace(SETTINGS, unit=unit, own_training=own_training))) == said
