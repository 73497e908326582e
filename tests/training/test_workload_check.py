"""The gate for objects of the user's: one message each, before anything is stored."""

import math
import sys
from dataclasses import replace

import numpy as np
import optuna
import pytest
import torch
from torch import nn

from search_spaces import InputError
from study.objective import Metric
from study.training.workload_check import check_workload
from study.workloads.data import Split
from study.workloads.datasets import made_data
from study.workloads.optimizers import optimizing
from study.workloads.workload import Workload, workload_of

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
DATA = made_data("mine", (X, (X[:, 0] > 0).long()), None, 0)
NUMBERS = made_data("mine", (X, X[:, 0] + X[:, 1]), None, 0)


class Flat(nn.Linear):
    def forward(self, x):
        return super().forward(x).squeeze(-1)


def ends():
    sys.exit(0)


def of(data, model):
    found = workload_of("w", data, model)
    check_workload(found)
    return found


def test_a_regression_may_give_one_number_without_an_axis():
    flat, column = of(NUMBERS, lambda: Flat(6, 1)), of(NUMBERS, lambda: nn.Linear(6, 1))
    x, y = NUMBERS.train.first(20)
    model = Flat(6, 1)
    assert torch.equal(flat.loss(model(x), y), column.loss(model(x)[:, None], y))


class Tuple(nn.Linear):
    def forward(self, x):
        return super().forward(x), x


class Mean(nn.Linear):
    def forward(self, x):
        return super().forward(x).mean(0, keepdim=True)


class Total(nn.Linear):
    def forward(self, x):
        return super().forward(x).sum()


class Leaves(nn.Linear):
    def forward(self, x):
        sys.exit(0)


@pytest.mark.parametrize(
    ("data", "model", "said"),
    [
        (DATA, lambda: nn.Linear(6, 1), "w: the model gives 1 number per row, but there are 2 classes"),
        (DATA, lambda: Flat(6, 1), "w: the model gives 1 number per row, but there are 2 classes"),
        (NUMBERS, lambda: nn.Linear(6, 2), "w: the model gives 2 numbers per row, but the target is 1 number per row"),
        (DATA, lambda: Tuple(6, 2), "w: the model gives a tuple, and must give a tensor"),
        (DATA, lambda: Mean(6, 2), "w: the model gives outputs for 1 of 8 rows"),
        (DATA, lambda: Total(6, 2), "w: the model gives one number for all rows"),
        (NUMBERS, lambda: Total(6, 1), "w: the model gives one number for all rows"),
        (DATA, lambda: Leaves(6, 2), r"cannot be trained on examples of shape \(6,\), float32: SystemExit"),
        (
            DATA,
            lambda: nn.Linear(5, 2),
            r"cannot be trained on examples of shape \(6,\), float32: RuntimeError: .*shapes",
        ),
    ],
)
def test_outputs_that_do_not_fit_are_named(data, model, said):
    with pytest.raises(InputError, match=said):
        of(data, model)


class NoRate(torch.optim.SGD):
    def __init__(self, params, lr=None):
        super().__init__(params, 0.1)
        for group in self.param_groups:
            group["lr"] = lr


def without_rate(params):
    made = NoRate(params)
    del made.param_groups[0]["lr"]
    return made


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        (NoRate, "needs a learning rate for a schedule to set: .*, but None was given"),
        (without_rate, "needs a learning rate for a schedule to set: .*, but None was given"),
        (lambda params: NoRate(params, math.nan), "needs a learning rate for a schedule to set: .*, but nan was given"),
        (torch.optim.LBFGS, "needs a closure for each step, as LBFGS does"),
        (lambda: torch.optim.SGD(nn.Linear(2, 2).parameters(), 0.1), "has no parameter of the model"),
        (ends, "--optimizer .* failed: SystemExit"),
    ],
)
def test_optimizers_that_no_schedule_can_drive_are_refused(optimizer, said):
    with pytest.raises(InputError, match=said):
        optimizing(optimizer, None, nn.Linear(6, 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": None}, "the name of a Workload must be text, but None was given"),
        ({"data": 3}, "the data of workload 'w' must be a study.workloads.Data, but 3 was given"),
        ({"loss": None}, "loss of workload 'w' must be a function"),
        ({"peak_lr": (0.0, 1.0)}, r"peak_lr of workload 'w' must be \(lowest, highest\), above 0"),
        ({"peak_lr": 0.1}, r"peak_lr of workload 'w' must be \(lowest, highest\), above 0, but 0.1 was given"),
        ({"peak_lr": ("0.1", "1")}, r"peak_lr of workload 'w' must be \(lowest, highest\), above 0"),
        ({"batch_size": "64"}, "batch_size of workload 'w' must be a whole number, at least 1, but '64' was given"),
        ({"batch_size": 6.5}, "batch_size of workload 'w' must be a whole number, at least 1, but 6.5 was given"),
        ({"clip_norm": "1"}, "clip_norm of workload 'w' must be a number above 0 and finite, or None, but '1' was"),
        ({"metric": Metric("m", "minimize", "", 1.0)}, "needs either measure or whole"),
        ({"metric": Metric("m", "minimize", "", 1.0, measure=1)}, "measure of the metric 'm' .* must be a function"),
    ],
)
def test_a_workload_is_checked_when_it_is_made(change, said):
    with pytest.raises(InputError, match=said):
        replace(Workload("w", DATA, lambda: nn.Linear(6, 2)), **change)


ROWS = torch.zeros(9).long()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 3}, "the name of a Data must be text, but 3 was given"),
        ({"classes": "2"}, "classes of mine must be the number of outputs per example, at least 1, but '2' was given"),
        ({"train": (X, X)}, r"mine \(train\) must be a Split, but a tuple was given: type Split\(x, y\)"),
        ({"test": None}, r"mine \(test\) must be a Split, but a NoneType was given"),
        ({"train": Split(X.numpy(), ROWS)}, r"x of mine \(train\) must be a tensor, .* but a ndarray was given: "),
        ({"train": Split(X.tolist(), ROWS)}, r"x of mine \(train\) must be .* but a float .* torch.as_tensor\(x\)"),
        ({"train": Split({"a": X, "b": 3}, ROWS)}, r"x of mine \(train\) must be a tensor, .* but an int was given"),
        ({"train": Split((), ROWS)}, r"x of mine \(train\) must be a tensor, .* but a tuple was given"),
        ({"train": Split(X[:9], ROWS.numpy())}, r"y of mine \(train\) must be a tensor, but a ndarray was given: type"),
        ({"train": Split(X[:9], ROWS.tolist())}, r"y of mine \(train\) must be a tensor, but a list was given"),
        ({"train": Split(X[:9], ROWS[0])}, r"y of mine \(train\) must have one row per example, but \(\) was given"),
        ({"train": Split(X[:9], X[:9, :0])}, r"y of mine \(train\) must not have empty rows, but \(9, 0\) was given"),
        ({"train": Split(X[:9, :0], ROWS)}, r"x of mine \(train\) must not have empty rows, but \(9, 0\) was given"),
        ({"test": Split(X[:9].to("meta"), ROWS)}, r"x of mine \(test\) must be a dense tensor, but a meta tensor"),
        ({"test": Split(X[:9], ROWS.to_sparse())}, r"y of mine \(test\) must be a dense tensor, .* use .to_dense\(\)"),
    ],
)
def test_data_is_checked_when_it_is_made(change, said):
    with pytest.raises(InputError, match=said):
        replace(DATA, **change)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (Split(X[:10], torch.zeros(9).long()), r"mine \(validation\): x and y must have the same number of rows"),
        (Split(X[:0], torch.zeros(0).long()), r"mine \(validation\) must have rows, but 0 was given"),
        (Split(X[:9] / 0, torch.zeros(9).long()), r"mine \(validation\): 9 of 9 rows contain NaN or infinity"),
    ],
)
def test_the_rows_of_data_that_users_make_are_checked(split, said):
    with pytest.raises(InputError, match=said):
        check_workload(Workload("w", replace(DATA, validation=split), lambda: nn.Linear(6, 2)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("m", "minimise", "", 1.0), "direction of the metric 'm' must be minimize or maximize, but 'minimise'"),
        (("m", "minimize", "", math.nan), "worst of the metric 'm' must be a finite number, but nan was given"),
        ((None, "minimize", "", 1.0), "the name of a Metric must be text"),
    ],
)
def test_a_metric_is_checked_when_it_is_made(values, said):
    with pytest.raises(InputError, match=said):
        Metric(*values)


def test_the_worst_value_of_a_metric_may_be_a_number_of_numpy():
    found = Metric("m", "minimize", "", np.float32(0.5))
    assert (type(found.worst), found.worst) == (float, 0.5)
    with pytest.raises(InputError, match="must be a finite number"):
        Metric("m", "minimize", "", np.float32("nan"))


def test_code_that_calls_exit_or_interrupts_ends_with_2_and_leaves_nothing(command, tmp_path):
    (tmp_path / "exits.py").write_text(
        "import sys\nfrom torch import nn\n\n"
        "class Model(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Linear(64, 10)\n\n    def forward(self, x):\n        sys.exit(0)\n"
    )
    (tmp_path / "top.py").write_text("import sys\nsys.exit(0)\n")
    flags = ["--epochs", 1, "--trials", 2, "--storage", f"sqlite:///{tmp_path}/x.db"]
    for what in (["--model", "exits:Model"], ["--model", "top:model"]):
        found = command("search.py", "--dataset", "digits", *what, *flags)
        assert (found.code, found.out) == (2, "")
        assert "SystemExit" in found.err
        assert found.err.count("\n") == 1
    (tmp_path / "interrupts.py").write_text("raise KeyboardInterrupt\n")
    found = command("search.py", "--dataset", "interrupts:data", *flags)
    assert (found.code, found.err) == (2, "error: your code raised KeyboardInterrupt (interrupts.py, line 1)\n")
    assert not (tmp_path / "x.db").exists() or not optuna.get_all_study_names(f"sqlite:///{tmp_path}/x.db")
