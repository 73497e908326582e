"""What of a study exported code is made of."""

from dataclasses import replace

import pytest

from study.objective import Metric
from study.reports.schedule_origin import exported
from tests.example_studies import SETTINGS, ended, study_record

REX = {"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True}

BITS = Metric("bits_per_byte", "minimize", "bits per byte", 8.0)
OWN = {"settings": replace(SETTINGS, own_training="python train.py")}


@pytest.mark.parametrize(
    ("known", "norm"),
    [
        ({}, 0.0),
        ({"clip_norm": 0.5}, 0.5),
        ({"metric": BITS}, None),
        ({"metric": BITS, "clip_norm": 1.0}, 1.0),
        (OWN, None),
    ],
    ids=["images", "clipped", "text, not kept", "text", "own training"],
)
def test_gradients_are_said_to_be_unclipped_only_if_that_is_known(known, norm):
    study = study_record([ended(0.5, full=0.3, params=REX)], **known)
    assert exported(study, study.trials[0]).clip_norm == norm


def test_the_code_has_the_weight_decay_of_the_trial_if_that_was_searched():
    study = study_record([ended(0.5, params=REX), ended(0.5, params={**REX, "weight_decay": 0.003})])
    assert [exported(study, trial).weight_decay for trial in study.trials] == [None, 0.003]
