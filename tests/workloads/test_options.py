"""Flags of what is trained: values that torch could not use are refused at once."""

import pytest

from search_spaces import InputError
from study.workloads.options import WorkloadOptions


def test_a_split_seed_that_torch_does_not_take_is_refused():
    assert WorkloadOptions("digits", split_seed=2**63 - 1).load(None).data.train.rows == 1078
    with pytest.raises(InputError, match="--split-seed must be below 2 to the power of 63, but 18446744073709551616"):
        WorkloadOptions("digits", split_seed=2**64)


def test_splits_of_tables_are_for_tables():
    with pytest.raises(InputError, match="--split-by is for tables .*: remove --split-by person"):
        WorkloadOptions("digits", split_by="person").load(None)
    with pytest.raises(InputError, match="--workload already defines data and model: remove --split-time day"):
        WorkloadOptions(workload="a.b:c", split_time="day")


def test_an_average_has_a_length_and_a_study_of_its_own():
    assert WorkloadOptions().averaged_over is None
    assert WorkloadOptions(average="ema").averaged_over == 0.1
    assert WorkloadOptions(average="ema", averaging_fraction=0.25).averaged_over == 0.25
    assert WorkloadOptions(average="ema").subject == "mnist1d-mlp-sgd-ema"
    with pytest.raises(InputError, match="^unknown average 'swa'. Valid: ema$"):
        WorkloadOptions(average="swa")
    with pytest.raises(InputError, match=r"^--averaging-fraction needs --average ema, but 0.1 was given$"):
        WorkloadOptions(averaging_fraction=0.1)
    for share in (0.0, 0.3, float("nan")):
        with pytest.raises(InputError, match=r"^--averaging-fraction must be above 0 and at most 0.25, but "):
            WorkloadOptions(average="ema", averaging_fraction=share)


def test_the_length_of_the_average_is_a_part_of_the_study():
    options = WorkloadOptions("digits", average="ema")
    record = options.record(options.load(None))
    assert (record["average"], record["averaging_fraction"]) == ("ema", 0.1)
    assert WorkloadOptions.stored(record).averaged_over == 0.1
    assert options.load(None).averaging_fraction == 0.1
