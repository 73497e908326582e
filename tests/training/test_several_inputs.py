"""Models with several inputs, by position and by name, in memory and read when needed."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from search_spaces import Cosine
from study.executors.processes import Processes
from study.executors.side_by_side import SideBySide
from study.objective import Run
from study.training.workload_objective import WorkloadObjective
from study.workloads.datasets import made_data
from study.workloads.workload import workload_of
from tests.helpers import trainer
from tests.own_data import Items

X1 = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
X2 = torch.randint(0, 5, (200,), generator=torch.Generator().manual_seed(1))
Y = ((X1[:, 0] > 0).long() + X2) % 2


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(5, 3), nn.Linear(7, 2)

    def forward(self, numbers, ids):
        return self.head(torch.cat([numbers, self.embed(ids)], 1))


def by_name(row):
    return {"numbers": X1[row], "ids": X2[row], "labels": Y[row]}


@pytest.mark.parametrize(
    "made",
    [
        ((X1, X2), Y),
        TensorDataset(X1, X2, Y),
        {"numbers": X1, "ids": X2, "labels": Y},
        Items(by_name, 200),
        Items(lambda row: ((X1[row], X2[row]), Y[row]), 200),
    ],
    ids=["tuple", "TensorDataset", "Hugging Face batch", "dataset of dicts", "dataset of tuples"],
)
def test_a_model_with_several_inputs_trains_run_by_run(made):
    """The same to the last bit as one that is given all in one tensor, and takes it apart."""

    class Together(TwoInputs):
        def forward(self, x):
            return super().forward(x[:, :4], x[:, 4].long())

    both = made_data("both", (torch.cat([X1, X2[:, None].float()], 1), Y), None, 0)
    workloads = [workload_of("w", made_data("mine", made, None, 0), TwoInputs), workload_of("w", both, Together)]
    objective = WorkloadObjective(workloads[0])
    objective.check([])
    assert objective.lockstep_obstacle() in ("its model has several inputs", "its data is not in memory")
    assert objective.largest_cohort() > 0
    assert len(objective.fingerprint()) == 64
    run = Run(Cosine(peak_lr=0.1), 2, 0, evaluations=2, test=True)
    several, together = (list(trainer(workload).train([run])) for workload in workloads)
    assert several == together


def test_it_trains_the_same_in_a_worker_process():
    workload = workload_of("w", made_data("mine", ((X1, X2), Y), None, 0), TwoInputs)
    runs = [Run(Cosine(peak_lr=peak), 2, 0, evaluations=1) for peak in (0.1, 0.2)]
    alone = [next(iter(trainer(workload).train([run]))).loss for run in runs]
    objective = WorkloadObjective(workload)
    with Processes(objective, 1) as workers:
        assert [one.loss for one in SideBySide(objective, 1, workers).train(runs)] == alone
