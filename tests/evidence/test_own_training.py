"""What is measured of a user's own training: the same runs in three ways, and a loop that is a user's."""

import pytest

from search_spaces import REX
from study.evidence.speed.own_training import added_by_a_function, drawn_schedules, only_steps, values_in_each_way


def test_only_steps_evaluates_as_often_as_it_says():
    assert [values["val_error"] for values in only_steps(REX(peak_lr=0.1), 100, 0)] == [
        1 / (1 + step) for step in range(5, 101, 5)
    ]


def test_what_a_function_is_charged_is_little():
    """Of a run of 10 seconds with a step each 2 ms, at most 2 %."""
    assert added_by_a_function(5000, 3) < 0.2


@pytest.mark.slow
def test_workload_function_and_script_find_the_same(tmp_path):
    found = values_in_each_way(drawn_schedules(2), 2, tmp_path)
    assert list(found) == ["workload", "function", "script"]
    assert found["function"] == found["workload"]
    assert found["script"] == found["workload"]
    assert len(set(found["workload"])) > 1
