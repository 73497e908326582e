"""Cohorts in workers: committed in order, halved if memory runs out, given up and failed. The workers are stand-ins."""

import math

import pytest

from search_spaces import InputError
from study.executors.side_by_side import SideBySide, Trained
from study.training.workload_objective import WorkloadObjective
from tests.helpers import Crowded, by_run, runs_of, trainer
from tests.out_of_order import OutOfOrder


@pytest.mark.parametrize("seed", range(3))
def test_cohorts_are_committed_in_order_whoever_is_first(seed, workload):
    objective, runs = WorkloadObjective(workload), runs_of(*[0.1, 0.2, 0.3, 1e9, 0.4], epochs=1)
    found = list(SideBySide(objective, 2, OutOfOrder(objective, seed)).train(runs))
    assert found == list(trainer(workload, 2).train(runs))


def test_a_cohort_with_a_run_that_is_not_done_is_trained_whole(workload):
    objective, runs = WorkloadObjective(workload), runs_of(0.1, 0.2, 0.3, 0.4, epochs=1)
    workers = OutOfOrder(objective)
    found = list(SideBySide(objective, 2, workers).train(runs, done={0, 1, 2}))
    assert found == list(trainer(workload, 2).train(runs, done={0, 1, 2}))
    assert workers.submitted == 1


@pytest.mark.parametrize(("seed", "fails_after"), [(0, 0), (1, 20)])
def test_a_cohort_that_does_not_fit_is_halved_as_in_one_process(seed, fails_after, workload, monkeypatch):
    """Equal to the last bit, although workers have trained larger cohorts meanwhile."""
    monkeypatch.setattr("study.training.workload_objective.Lockstep", Crowded)
    monkeypatch.setattr(Crowded, "fails_after", fails_after)
    objective, runs = WorkloadObjective(workload), runs_of(*[0.1 * n for n in range(1, 14)])
    alone = trainer(workload, 7)
    expected = list(alone.train(runs))
    executor = SideBySide(objective, 7, OutOfOrder(objective, seed))
    assert list(executor.train(runs)) == expected
    assert executor.cohort == alone.cohort == 2
    assert (7,) in {evaluation.too_large for evaluation in expected}


def test_one_run_that_does_not_fit_is_told(workload):
    class Full(OutOfOrder):
        def ended(self, seconds):
            return dict.fromkeys(self.waiting, Trained([], fits=False))

    objective = WorkloadObjective(workload)
    with pytest.raises(InputError, match="one run does not fit into the GPU's memory: use a smaller --batch-size"):
        list(SideBySide(objective, 1, Full(objective)).train(runs_of(0.1)))


def test_a_cohort_that_no_worker_could_train_is_recorded_as_failed(workload):
    objective, runs = WorkloadObjective(workload), runs_of(0.1, 0.2, 0.3, 0.4, epochs=1)
    found = list(SideBySide(objective, 2, OutOfOrder(objective, lost={2})).train(runs))
    failed = [evaluation for evaluation in found if evaluation.failure]
    assert [(one.run, one.failure, one.last, one.metric) for one in failed] == [
        (2, "lightning", True, 1.0),
        (3, "lightning", True, 1.0),
    ]
    assert all(math.isinf(one.loss) for one in failed)
    rest = [evaluation for evaluation in found if not evaluation.failure]
    assert rest == list(trainer(workload, 2).train(runs[:2]))


def test_what_is_left_is_given_up_if_the_caller_stops(workload):
    objective, runs = WorkloadObjective(workload), runs_of(0.1, 0.2, 0.3, epochs=1)
    workers = OutOfOrder(objective)
    training = SideBySide(objective, 1, workers).train(runs)
    next(training)
    training.close()
    assert not workers.waiting
    stopped = OutOfOrder(objective)
    assert by_run(SideBySide(objective, 1, stopped).train(runs, lambda run: True)) == []
    assert stopped.given_up == 2
