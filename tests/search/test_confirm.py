"""Confirming trains like the study does: in this process or in workers, run by run or together."""

import pytest

from search_spaces import Cosine
from study.executors.processes import Processes
from study.objective import Run
from study.search.confirm import confirm, confirming
from study.training.workload_objective import WorkloadObjective
from tests.helpers import trainer

SCHEDULE, SEEDS = Cosine(peak_lr=0.1), [1000, 1001, 1002]


def test_workers_confirm_as_this_process_does(workload):
    objective = WorkloadObjective(workload)
    expected = confirm(objective, trainer(workload), SCHEDULE, 2, SEEDS)
    with Processes(objective, 1, 2) as workers:
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


def test_a_run_that_diverged_has_the_worst_value_and_progress_only_grows(workload):
    objective = WorkloadObjective(workload)
    assert confirm(objective, trainer(workload), Cosine(peak_lr=1e25), 1, [1000]) == [1.0]
    epochs = [trained for trained, _ in confirming(objective, trainer(workload), SCHEDULE, 2, SEEDS)]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 2 * len(SEEDS)
