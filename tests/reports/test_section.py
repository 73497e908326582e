"""Sentences that reports share."""

from dataclasses import replace

import pytest

from search_spaces.ranges import Choice, Float
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


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (Float(0.1, 0.1), "0.1"),
        (Choice((0.1,)), "0.1"),
        (Choice((0.0, 0.1)), "searched"),
        (Float(1e-5, 1e-2, log=True), "searched"),
    ],
)
def test_a_weight_decay_of_the_space_is_that_of_the_runs(domain, said):
    """Not the optimizer's own."""
    study = study_record(settings=replace(SETTINGS, space={**SETTINGS.space, "weight_decay": domain}))
    assert f"optimizer sgd (weight decay {said}), batches" in setting(study)
