"""The time of runs at a measured speed, against cohorts that are laid out one by one."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.executors.cohort_queue import divide
from study.objective import Engine
from study.speed import Speed

BY_COHORT = {1: 4.0, 2: 3.0, 4: 2.5, 8: 2.0, 10: 1.0}


def time_of_lanes(sizes, lanes, seconds):
    """Each lane takes the next cohort when all lanes have ended; returns when the last round ends."""
    rounds = [sizes[begin : begin + lanes] for begin in range(0, len(sizes), lanes)]
    return sum(max(map(seconds, together)) for together in rounds)


@given(st.integers(1, 60), st.integers(1, 500), st.sampled_from([1, 2, 3, 8, 10]))
def test_in_this_process_cohorts_are_trained_one_after_another(runs, steps, cohort):
    largest = max(map(len, divide(range(runs), cohort)))
    a_step = BY_COHORT[max(size for size in BY_COHORT if size <= largest)]
    assert Speed(BY_COHORT, start=7.0).seconds(runs, steps, Engine(cohort)) == pytest.approx(
        runs * (steps * a_step + 7)
    )


@given(st.integers(1, 40), st.integers(1, 500), st.integers(1, 5), st.sampled_from([1, 3]))
def test_workers_train_side_by_side(runs, steps, workers, cohort):
    """The speed of all of them together is that of one, divided; a last round that is not full takes as long."""
    alone = Speed({1: 4.0, 3: 2.0}, start=7.0)
    sizes = [max(map(len, divide(range(runs), cohort)))] * len(divide(range(runs), cohort))
    took = time_of_lanes(sizes, workers, lambda size: size * (steps * (2.0 if size == 3 else 4.0) + 7))
    assert alone.divided(workers).seconds(runs, steps, Engine(cohort, workers)) == pytest.approx(took)


def test_what_does_not_fit_into_memory_has_no_speed():
    assert not Speed().known
    assert not Speed({5: math.inf}).known
    speed = Speed({1: 0.5, 2: 0.4, 4: math.inf}, 1.5)
    assert speed.known
    assert speed.of_a_step(4) == 0.4
    assert Speed.read(json.loads(json.dumps(speed.plain()))) == Speed({1: 0.5, 2: 0.4}, 1.5)
    assert Speed.read(None) == Speed()


def test_a_smaller_cohort_than_any_that_was_timed_is_as_fast_as_the_smallest():
    assert Speed({5: 0.2}).of_a_step(3) == 0.2
