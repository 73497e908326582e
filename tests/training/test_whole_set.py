"""A metric of all rows of a split: F1 is not a mean over rows."""

import math
from dataclasses import replace

import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score
from torch import nn

from search_spaces import Constant, InputError
from study.objective import Metric, Run
from study.reports.verdict import verdict_lines
from study.storage.studies import read_studies
from study.training.workload_objective import WorkloadObjective
from study.workloads.datasets import made_data
from study.workloads.workload import Workload
from tests.helpers import run_search, trainer

X = torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 1).long()


def f1(outputs, targets):
    return f1_score(targets, outputs.argmax(1), zero_division=0)


def linear():
    return nn.Linear(5, 2)


def with_metric(whole):
    metric = Metric("f1", "maximize", "", 0.0, whole=whole)
    return Workload("w", made_data("mine", (X, Y), None, 0), linear, metric=metric)


def test_a_metric_that_is_always_nan_is_named(storage):
    """The losses are finite, so the data and the loss are not what is wrong."""
    run_search(storage, with_metric(lambda outputs, targets: math.nan), 3)
    [record] = read_studies(storage, "small")
    [line, *_] = verdict_lines(record)
    assert line.startswith("No winner: all 3 trials diverged")
    assert "or the metric 'f1' is NaN or infinite; if all are sound" in line


def test_f1_is_computed_over_all_rows_of_the_split():
    """More rows than a forward pass of an evaluation has; compared with the outputs of the same model."""
    seen = []

    def noted(outputs, targets):
        seen.append((len(outputs), f1(outputs, targets)))
        return seen[-1][1]

    workload = with_metric(noted)
    run = Run(Constant(peak_lr=0.1), 2, 0, evaluations=2, test=True)
    found = list(trainer(workload).train([run]))
    assert [rows for rows, _ in seen] == [300, 300, 300], "validation twice, test once"
    assert [evaluation.metric for evaluation in found] == [seen[0][1], seen[1][1]]
    assert found[-1].test_metric == seen[2][1]
    assert 0.5 < found[-1].metric < 1


def test_the_loss_is_the_same_as_with_a_metric_of_rows():
    run = Run(Constant(peak_lr=0.1), 2, 0, evaluations=2)
    whole, rows = with_metric(f1), Workload("w", made_data("mine", (X, Y), None, 0), linear)
    losses = [[evaluation.loss for evaluation in trainer(workload).train([run])] for workload in (whole, rows)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_it_is_searched_one_by_one(storage):
    workload = with_metric(f1)
    assert WorkloadObjective(workload).lockstep_obstacle() == "its metric needs all rows at once"
    trials = run_search(storage, workload, 5)
    assert max(trial.value for trial in trials if trial.value is not None) > 0.5


def area(outputs, targets):
    """scikit-learn refuses NaN and infinity with a ValueError."""
    return roc_auc_score(targets, outputs[:, 1] - outputs[:, 0])


class Broken(nn.Linear):
    """Is not finite in evaluation only, as with running statistics that overflowed."""

    def __init__(self, number):
        super().__init__(5, 2)
        self.number = number

    def forward(self, x):
        return super().forward(x) + (0.0 if self.training else self.number)


def ignoring_nan(outputs, y):
    return nn.functional.cross_entropy(outputs.nan_to_num(), y, reduction="none")


@pytest.mark.parametrize(("number", "change"), [(math.nan, {}), (math.inf, {}), (math.nan, {"loss": ignoring_nan})])
def test_a_run_whose_outputs_are_not_finite_diverges_and_does_not_end_the_search(number, change):
    workload = replace(with_metric(area), make_model=lambda: Broken(number), **change)
    (found,) = trainer(workload).train([Run(Constant(peak_lr=0.1), 1, 0, evaluations=1)])
    assert (found.diverged, found.metric, found.loss) == (True, 0.0, math.inf)


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (lambda outputs, targets: outputs, "the metric 'f1' must be one number for all rows"),
        (lambda outputs, targets: None, "the metric 'f1' must be one number for all rows"),
        (lambda outputs, targets: 1 / 0, "the metric 'f1' failed: ZeroDivisionError"),
    ],
)
def test_a_metric_that_gives_no_number_is_refused(whole, said):
    with pytest.raises(InputError, match=said):
        WorkloadObjective(with_metric(whole)).check([])
