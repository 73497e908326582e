"""Optuna's pruners, which decide at every epoch of full runs."""

from dataclasses import replace

import pytest
from optuna.trial import TrialState

from study.search.configuration import PRUNES_MIDWAY
from tests.helpers import SMALL, finished, open_small, run_search


@pytest.mark.parametrize(
    ("pruner", "trials_per_batch"), [*((pruner, 1) for pruner in PRUNES_MIDWAY), ("median", 5), ("none", 5)]
)
def test_the_classical_pruners_hear_of_every_epoch(pruner, trials_per_batch, storage, workload):
    configuration = replace(SMALL, pruner=pruner, trials_per_batch=trials_per_batch)
    trials = run_search(storage, workload, 25, configuration)
    converged = [trial for trial in trials if not trial.user_attrs["record"]["diverged"]]
    assert (TrialState.PRUNED in {trial.state for trial in converged}) == (pruner != "none")
    for trial in converged:
        epochs = list(trial.intermediate_values)
        assert epochs == list(range(1, len(epochs) + 1))
        assert (len(epochs) == 4) == (trial.state == TrialState.COMPLETE)
        assert sum(trial.user_attrs["record"]["epochs_used"].values()) == epochs[-1]


@pytest.mark.parametrize("pruner", PRUNES_MIDWAY)
def test_the_classical_pruners_go_on_after_a_stop(pruner, storage, tmp_path, workload):
    configuration = replace(SMALL, pruner=pruner, trials_per_batch=2)
    left_alone = run_search(storage, workload, 14, configuration)
    stopped = f"sqlite:///{tmp_path / 'stopped.db'}"
    run_search(stopped, workload, 6, configuration)
    with open_small(stopped, workload, configuration) as study:
        batches = study.search(14)
        for _ in range(3):  # into the middle of the next batch
            next(batches)
        batches.close()
    assert finished(run_search(stopped, workload, 14, configuration)) == finished(left_alone)
