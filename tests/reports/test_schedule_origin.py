"""What exported code is told of a study."""

from dataclasses import replace

import pytest

from study.objective import Metric
from study.reports.schedule_origin import exported
from tests.example_studies import SETTINGS, ended, study_record

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
    study = study_record(
        [ended(0.5, full=0.3, params={"family": "rex", "peak_lr": 0.1, "warmup_fraction_is_0": True})], **known
    )
    assert exported(study, study.trials[0]).clip_norm == norm
