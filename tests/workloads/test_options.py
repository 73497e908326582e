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
