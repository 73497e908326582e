"""What is saved of a trial under way: it is restored, or refused."""

from dataclasses import replace

import optuna
import pytest
from optuna.samplers import RandomSampler

from search_spaces import Constant
from study.objective import Evaluation
from study.search.candidate import Candidate

SHORT = Evaluation(run=0, step=8, total_steps=8, loss=1.0, metric=0.5)
LONG = Evaluation(run=0, step=4, total_steps=16, loss=1.0, metric=0.75)


def candidate(*runs):
    """A candidate that has had these runs: (budget, evaluation) in turn."""
    trial = optuna.create_study(sampler=RandomSampler(seed=0)).ask()
    made = Candidate(trial, Constant(peak_lr=0.1), position=1, batch=0)
    for budget, evaluation in runs:
        made.evaluations = []
        made.observe(evaluation, budget, steps_per_epoch=8)
        if evaluation.last:
            made.report(budget, evaluation.metric)
    return made


@pytest.mark.parametrize(
    "runs",
    [[(1, SHORT)], [(1, SHORT), (2, LONG)], [(1, replace(SHORT, step=2, metric=1.0, diverged=True))]],
    ids=["a run", "a second run has begun", "a run that diverged"],
)
def test_what_is_saved_is_restored(runs):
    saved = candidate(*runs).saved()
    restored = candidate()
    restored.load(saved)
    assert restored.saved() == saved


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("evaluations", []),
        ("evaluations", [{"run": 0}]),
        ("epochs_used", {}),
        ("epochs_used", {"x": 1.0}),
        ("cohort", {}),
        ("reported", []),
        ("reported", [[1]]),
        ("reported", [[1, float("nan")]]),
        ("trained", -1),
        ("trained", 2),
        ("seconds", float("inf")),
    ],
)
def test_what_is_damaged_is_refused(key, instead):
    with pytest.raises((KeyError, TypeError, ValueError)):
        candidate().load({**candidate((1, SHORT)).saved(), key: instead})


@pytest.mark.parametrize(
    ("key", "instead"),
    [("metric", "x"), ("metric", float("nan")), ("step", 0), ("cohort", 0), ("diverged", 1), ("loss", []), ("new", 1)],
)
def test_an_evaluation_that_is_damaged_is_refused(key, instead):
    saved = candidate((1, SHORT)).saved()
    saved["evaluations"][0][key] = instead
    with pytest.raises((TypeError, ValueError)):
        candidate().load(saved)
