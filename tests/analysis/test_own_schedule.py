"""Whether a script kept its own schedule, and whether the length of its runs is known in steps."""

from dataclasses import replace

import pytest

from study.analysis.own_schedule import keeps_own_schedule, known_length
from tests.example_studies import SETTINGS, study_record

STEPS, EPOCHS = (16, "steps"), (1, "epochs")


@pytest.mark.parametrize(
    ("training", "seen", "own", "length"),
    [
        (None, True, False, STEPS),
        ("tests.own_training:train", True, False, STEPS),
        ("tests.own_training:train_with_rates", False, False, STEPS),
        ("python train.py {epochs} {seed}", True, False, STEPS),
        ("python train.py {epochs} {peak_lr}", True, False, STEPS),
        ("python train.py {epochs} {peak_lr}", False, True, EPOCHS),
        ("python train.py {epochs} --lr={peak_lr:.4g}", False, True, EPOCHS),
        ("python train.py {epochs} {{peak_lr}}", False, False, STEPS),
        ("python train.py {seed} {timm}", False, False, EPOCHS),
    ],
)
def test_what_is_known_of_a_training(training, seen, own, length):
    study = study_record(settings=replace(SETTINGS, own_training=training), seen=seen)
    assert (keeps_own_schedule(study), known_length(study)) == (own, length)


def test_a_budget_in_steps_is_known_in_steps():
    settings = replace(SETTINGS, own_training="x {total_steps} {peak_lr} {warmup_steps}", unit="steps")
    study = study_record(settings=settings, seen=False, steps_per_epoch=1)
    assert (keeps_own_schedule(study), known_length(study)) == (True, (1, "steps"))
