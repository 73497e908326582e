"""What the code of a workload raises in the middle of training is one message; what a device raises is not touched."""

import math
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from search_spaces import Constant, InputError
from study.objective import Run, never
from study.training import loop
from study.training.workload_objective import WorkloadObjective
from study.workloads.datasets import made_data
from study.workloads.workload import Workload, optimized
from tests.helpers import trainer

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
DATA = made_data("mine", (X, (X[:, 0] > 0).long()), None, 0)


def ends():
    sys.exit(0)


class Later(nn.Linear):
    """A model that fails after some passes."""

    passes, last, fails = 0, 2, staticmethod(ends)

    def forward(self, x):
        Later.passes += 1
        return super().forward(x) if Later.passes <= Later.last else self.fails()


def raising(error):
    def fails():
        raise error

    return staticmethod(fails)


@pytest.fixture
def later(monkeypatch):
    """Make a workload whose model fails after so many passes."""

    def make(last, fails):
        for name, value in {"passes": 0, "last": last, "fails": fails}.items():
            monkeypatch.setattr(Later, name, value)
        return optimized(Workload("w", DATA, lambda: Later(6, 2)), "sgd", 20, None)

    return make


RUN = Run(Constant(peak_lr=0.1), 3, 0, evaluations=1)


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (staticmethod(ends), "w: training failed: SystemExit: 0 "),
        (raising(RuntimeError("the cache is broken")), "w: training failed: RuntimeError: the cache is broken "),
        (staticmethod(lambda: torch.zeros(2, 3) @ torch.zeros(2, 3)), "w: training failed: RuntimeError: .*shapes "),
    ],
)
def test_a_model_that_fails_in_the_middle_of_training_is_one_message(later, fails, said):
    with pytest.raises(InputError, match=rf"^{said}.*\(test_workload_objective.py, line \d+\)$"):
        list(trainer(later(2, fails)).train([RUN]))


def test_the_line_that_is_named_is_the_user_s_and_not_a_library_s(later):
    """Torch raises for the loss, eight lines further down than any line of the user's."""

    def loss(outputs, y):
        Later.passes += 1
        return cross_entropy(outputs, y + 10 * (Later.passes > 4), reduction="none")

    line = loss.__code__.co_firstlineno + 2
    with pytest.raises(
        InputError, match=rf"w: training failed: IndexError: .*\(test_workload_objective.py, line {line}\)"
    ):
        list(trainer(replace(later(99, ends), loss=loss)).train([RUN]))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory (of this test)"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        KeyboardInterrupt(),
        BrokenPipeError(),
    ],
)
def test_what_is_no_mistake_of_the_user_s_passes(later, error):
    objective = WorkloadObjective(later(2, raising(error)))
    with pytest.raises(type(error)) as found:
        list(objective.train([RUN], never))
    assert found.value is error


def test_a_generated_line_that_raises_is_not_named(later):
    scope = {}
    exec(compile("def fail():\n    raise ValueError('within')", "<string>", "exec"), scope)
    with pytest.raises(InputError, match=r"ValueError: within \(test_workload_objective.py, line \d+\)"):
        list(trainer(later(2, staticmethod(scope["fail"]))).train([RUN]))


def test_a_mistake_of_ours_passes(later, monkeypatch):
    found = compile("def wrong(*_):\n    raise IndexError('of this test')", loop.__file__, "exec")
    exec(found, scope := {})
    monkeypatch.setattr(loop, "evaluation_steps", scope["wrong"])
    with pytest.raises(IndexError, match="of this test"):
        list(trainer(later(99, ends)).train([RUN]))


@pytest.mark.parametrize(
    "asked",
    [
        WorkloadObjective.lockstep_obstacle,
        WorkloadObjective.largest_cohort,
        lambda objective: objective.mixes_seeds,
    ],
)
def test_a_model_that_fails_while_the_engine_is_chosen_is_one_message(later, asked):
    asked(WorkloadObjective(later(math.inf, ends)))
    passes = Later.passes
    with pytest.raises(InputError, match=r"^w: training failed: ValueError: no more \(test_workload_objective.py"):
        asked(WorkloadObjective(later(passes - 1, raising(ValueError("no more")))))


def test_a_model_that_fails_in_the_middle_of_a_search_ends_it_with_2(command, tmp_path):
    (tmp_path / "late.py").write_text(
        "from torch import nn\n\n"
        "class Model(nn.Module):\n    calls = 0\n\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Linear(64, 10)\n\n    def forward(self, x):\n        Model.calls += 1\n"
        "        if Model.calls > 60:\n            raise RuntimeError('the cache is broken')\n"
        "        return self.head(x.flatten(1))\n"
    )
    flags = ["--engine", "loop", "--epochs", 3, "--trials", 4, "--storage", f"sqlite:///{tmp_path}/x.db"]
    found = command("search.py", "--dataset", "digits", "--model", "late:Model", *flags)
    said = "digits-late-Model-sgd: training failed: RuntimeError: the cache is broken (late.py, line 13)"
    assert (found.code, found.err.splitlines()[-1]) == (2, f"error: {said}")
    assert "Traceback" not in found.err
