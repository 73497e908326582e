"""Confirming trains like the study does: in this process or in workers, run by run or together."""

import pytest

from search_spaces import Cosine
from study.executors.processes import Processes
from study.executors.side_by_side import SideBySide
from study.objective import Evaluation, Run
from study.search.confirm import confirm, training_missing
from study.training.workload_objective import WorkloadObjective
from tests.helpers import trainer

SCHEDULE, SEEDS = Cosine(peak_lr=0.1), [1000, 1001, 1002]


def test_workers_confirm_as_this_process_does(workload):
    objective = WorkloadObjective(workload)
    expected = confirm(objective, trainer(workload), SCHEDULE, 2, SEEDS)
    with Processes(objective, 1) as processes:
        workers = SideBySide(objective, 1, processes)
        trained = []
        workers_train = workers.train
        workers.train = lambda runs, *others: trained.extend(runs) or workers_train(runs, *others)
        assert confirm(objective, workers, SCHEDULE, 2, SEEDS) == expected
    assert [run.train_seed for run in trained] == SEEDS


def test_each_value_is_that_of_a_run_by_itself(workload):
    together = confirm(WorkloadObjective(workload), trainer(workload, 3), SCHEDULE, 2, SEEDS)
    for seed, value in zip(SEEDS, together, strict=True):
        *_, last = trainer(workload).train([Run(SCHEDULE, 2, seed, evaluations=1, test=True)])
        assert last.test_metric == pytest.approx(value, abs=2 / len(workload.data.test.x)), (
            "lockstep rounds differently"
        )


def test_a_run_that_diverged_has_the_worst_value(workload):
    objective = WorkloadObjective(workload)
    assert confirm(objective, trainer(workload), Cosine(peak_lr=1e25), 1, [1000]) == [1.0]


def test_a_run_that_has_ended_does_not_end_again_if_its_cohort_is_trained_again():
    class Cohort:
        def train(self, runs, stop, done):
            for step in (1, 2):
                for index in range(3):
                    yield Evaluation(index, step, 2, 0.5, 0.5)

    found = list(training_missing(Cohort(), [None] * 3, {1}))
    assert [trained for trained, _ in found] == [1.5, 1.5, 2.0, 2.5, 2.5, 3.0]
    assert [last and last.run for _, last in found] == [None, None, None, 0, None, 2]


def test_runs_that_were_stopped_are_said():
    class Stopped:
        def train(self, runs, stop, done):
            yield Evaluation(0, 1, 2, 0.5, 0.5)

    with pytest.raises(KeyboardInterrupt):
        list(training_missing(Stopped(), [None], set()))
