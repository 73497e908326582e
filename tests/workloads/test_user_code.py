"""The examples of custom workloads: searched, in lockstep as in the plain loop, reproduced and reported."""

import math
from dataclasses import replace

import pytest
from torch import nn

from search_spaces import Constant, Cosine, InputError
from study.objective import Run
from study.training.lockstep_check import lockstep_obstacle
from study.workloads.data import Split
from study.workloads.options import WorkloadOptions
from tests.helpers import ROOT, start, trainer

EXAMPLES = {
    "language_model": ("bits_per_letter", ["--optimizer", "adamw", "--batch-size", 32, "--epochs", 2]),
    "regression": ("absolute_error", ["--optimizer", "adamw", "--epochs", 4]),
}


@pytest.fixture
def load(monkeypatch):
    """The workload of an example, loaded where Python looks for modules when a script of ours runs."""
    monkeypatch.chdir(ROOT / "scripts")
    return load_example


def load_example(name, **flags):
    return WorkloadOptions(workload=f"examples.{name}:workload", optimizer="adamw", **flags).load(None)


def exact(model):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return model.double()


def in_float64(data):
    def doubled(tensor):
        return tensor.double() if tensor.is_floating_point() else tensor

    parts = {part: Split(*map(doubled, getattr(data, part))) for part in ("train", "validation", "test")}
    return replace(data, **parts)


@pytest.mark.parametrize("name", EXAMPLES)
def test_lockstep_is_as_the_plain_loop(name, load):
    """In float64 and without dropout, whose mask follows the memory: only the order of the same operations differs."""
    workload = load(name, batch_size=32)
    assert lockstep_obstacle(workload) is None
    make_model = workload.make_model
    workload = replace(workload, data=in_float64(workload.data), make_model=lambda: exact(make_model()))
    runs = [Run(Cosine(peak_lr=peak), 1, 0, evaluations=2) for peak in (1e-3, 3e-3, 1e-2)]
    alone, together = (list(trainer(workload, cohort).train(runs)) for cohort in (1, 3))
    together.sort(key=lambda evaluation: (evaluation.run, evaluation.step))
    assert [e.loss for e in together] == pytest.approx([e.loss for e in alone], rel=1e-8)
    assert {evaluation.cohort for evaluation in together} == {3}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_learns_and_no_run_is_worse_than_the_worst(name, load):
    workload = load(name)
    good, bad = (Run(Constant(peak_lr=peak), 4, 0, evaluations=1) for peak in (1e-2, 1e9))
    ends = [evaluation for evaluation in trainer(workload).train([good, bad]) if evaluation.last]
    assert ends[0].metric < 0.3 * workload.metric.worst
    assert ends[1].metric == workload.metric.worst
    assert workload.metric.bounded(2 * workload.metric.worst) == workload.metric.worst
    assert workload.metric.bounded(math.nan) == workload.metric.worst


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_searched_and_reproduced_as_a_user_would(name, command, tmp_path):
    metric, flags = EXAMPLES[name]
    arguments = ["--workload", f"examples.{name}:workload", *flags, "--trials", 4, "--confirm-seeds", 2]
    found = command("search.py", *arguments, "--trials-per-batch", 2, "--study", "mine")
    assert found.code == 0, found.err
    assert "Cost: " in found.out
    assert f"validation {metric} " in found.out
    said = start("reproduce.py", "--study", "mine", "--trial", 2, cwd=tmp_path).communicate(timeout=250)[0]
    assert said.endswith("Reproduced to the last bit.\n"), said
    assert command("report.py", "--study", "mine").code == 0
    assert "mnist1d, model" not in (tmp_path / "results/mine/report.md").read_text(), "what no flag said is not told"


def test_flags_that_a_workload_leaves_no_room_for_are_refused(monkeypatch):
    monkeypatch.chdir(ROOT / "scripts")
    with pytest.raises(InputError, match="--workload already defines data and model: remove --model cnn"):
        WorkloadOptions(workload="examples.regression:workload", model="cnn")
    with pytest.raises(InputError, match="must return a study.workloads.Workload, but 'Sequential' was given"):
        WorkloadOptions(workload="examples.regression:make_model").load(None)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("study.py", "study:data"),
        ("study/data.py", "study.data:data"),
        ("search_spaces/__init__.py", "search_spaces:data"),
        ("torch.py", "torch:data"),
    ],
)
def test_a_module_with_the_name_of_one_that_is_loaded_is_to_be_renamed(file, name, command, tmp_path):
    """It was searched for functions in the other one."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("def data():\n    return None\n")
    refused = command("search.py", "--dataset", name, "--epochs", 1, "--storage", "sqlite:///s.db")
    assert refused.code == 2
    assert f"--dataset cannot import {file} in the current directory" in refused.err
    assert refused.err.endswith("which is loaded already: rename yours\n")
    assert not (tmp_path / "s.db").exists()
