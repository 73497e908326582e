"""The API for notebooks: searches and comparisons in memory and in files, also with the user's Python objects."""

import runpy
import signal
import subprocess
import sys
from dataclasses import fields
from functools import partial
from inspect import unwrap

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import study
from search_spaces import InputError
from study.api import find_schedule
from study.executors.options import ExecutorOptions
from study.search.configuration import Configuration
from study.workloads import Workload
from study.workloads.datasets import made_data
from study.workloads.options import DATA_ROOT, WorkloadOptions
from tests.helpers import DIGITS, ROOT

FEW = {"epochs": 2, "trials": 4, "families": ["linear", "rex"], "progress": False, "engine": "loop"}


def make_model(input_shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(input_shape)), classes))


def rows():
    x = torch.randn(400, 6, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long()


@pytest.fixture(scope="module")
def found():
    return study.find_schedule(dataset="digits", **FEW)


def test_nothing_heavy_is_loaded_before_it_is_used():
    program = (
        "import sys, study; print(sorted(sys.modules.keys() & {'torch', 'optuna', 'study.api'}), study.find_schedule)"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.startswith("[] <function find_schedule")
    with pytest.raises(AttributeError, match="has no attribute 'find_schedul'"):
        study.find_schedul  # noqa: B018


def test_a_study_in_memory_gives_its_winner_as_values_and_code(found):
    complete = found.trials[found.trials["complete"]]
    assert found.best.value == complete[complete["family"] != "cosine"]["value"].min(), "cosine is not searched"
    assert list(complete["reference"]) == list(complete["family"] == "cosine")
    assert found.recommended.number == found.answer.recommended.number
    assert found.schedule.peak_lr == complete.loc[found.recommended.number, "peak_lr"]
    assert found.best.schedule.peak_lr == complete.loc[found.best.number, "peak_lr"]
    assert repr(found).endswith(f"confirming {found.answer.confirming}.>")
    assert list(found.trials.index) == [0, 1, 2, 3]
    scope = {}
    exec(found.code(), scope)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    assert len(scope["make_scheduler"](optimizer, 100).get_last_lr()) == 1
    assert "configure_optimizers" in found.code("lightning")
    with pytest.raises(InputError, match="unknown format 'torhc': did you mean 'torch'"):
        found.code("torhc")


def test_it_writes_a_report(found, tmp_path):
    assert found.report(tmp_path / "report").read_text().startswith("<!")
    assert {"trials.csv", "curves.csv", "manifest.json"} <= {path.name for path in (tmp_path / "report").iterdir()}


def test_it_is_reproduced_to_the_last_bit(found):
    (run,) = found.reproduce(found.best.number)
    assert run.found == run.stored == found.best.value


def test_the_defaults_are_those_of_the_command_line(command):
    """The same study from the same flags; the options that Python takes as they are have the same defaults, too."""
    said = command("search.py", "--dataset", "digits", "--epochs", 2, "--trials", 3, "--storage", "sqlite:///a.db")
    assert said.code == 0, said.err
    here = study.find_schedule(dataset="digits", epochs=2, trials=3, storage="b.db", progress=False)
    there = study.load("digits-mlp-sgd-2-epochs", "a.db")
    assert here.record.name == there.record.name
    assert here.record.configuration == there.record.configuration
    assert [trial.params for trial in here.record.trials] == [trial.params for trial in there.record.trials]
    assert unwrap(find_schedule).__kwdefaults__ == {
        **dict.fromkeys(("model", "data", "optimizer", "workload", "train", "storage", "study")),
        "trials": 50,
        "max_cost": None,
        "max_hours": None,
        "enqueue": (),
        "device": "auto",
        "data_root": DATA_ROOT,
        "progress": True,
        "show": (),
        "reference": None,
        "confirm_seeds": None,
        "accept_changes": False,
        "artifacts": None,
    }


def test_every_flag_is_an_option_and_a_typo_is_no_other():
    known = {field.name for kind in (WorkloadOptions, Configuration, ExecutorOptions) for field in fields(kind)}
    with pytest.raises(InputError) as error:
        study.find_schedule(epoch=3)
    assert "unknown option 'epoch': did you mean 'epochs'?" in str(error.value)
    assert set(str(error.value).partition("Valid: ")[2].split(", ")) == known


def test_a_stored_study_goes_on_in_the_next_call(tmp_path, found):
    path = tmp_path / "my.db"
    first = study.find_schedule(dataset="digits", storage=path, **FEW | {"trials": 2})
    again = study.find_schedule(dataset="digits", storage=f"sqlite:///{path}", **FEW)
    assert len(first.trials) == 2
    assert [trial.params for trial in again.record.trials[:2]] == [trial.params for trial in first.record.trials]
    loaded = study.load(again.record.name, path)
    assert loaded.record == again.record
    assert (tmp_path / "my.db.artifacts").is_dir(), "the dashboard shows it"
    with pytest.raises(InputError, match="there is no database"):
        study.load("x", tmp_path / "other.db")


def test_progress_is_printed_or_not(capsys):
    options = FEW | {"trials": 1, "families": ["linear"]}
    study.find_schedule(dataset="digits", **options)
    assert capsys.readouterr() == ("", "")
    study.find_schedule(dataset="digits", **options | {"progress": True})
    said = capsys.readouterr().out
    assert "\nUse linear, peak " in said, "the first trial is not the reference"
    assert said.endswith("Code: print(result.code())\nReport: result.report(FOLDER)\n")
    assert "kept in" not in said
    assert "dashboard" not in said, "a study in memory has none"


@pytest.mark.parametrize("storage", [None, "a.db"])
def test_an_interruption_loses_no_finished_trial(storage, tmp_path, monkeypatch):
    """A stored study is read again; of one in memory what was found is returned."""
    monkeypatch.chdir(tmp_path)
    from study.search.search import search

    def interrupted_search(*arguments):
        for bracket in search(*arguments):
            if bracket.finished and bracket.number == 1:
                signal.raise_signal(signal.SIGINT)
            yield bracket

    monkeypatch.setattr("study.search.study_plan.search", interrupted_search)
    options = FEW | {"trials": 50, "trials_per_batch": 2}
    if storage:
        with pytest.raises(KeyboardInterrupt):
            study.find_schedule(dataset="digits", storage=storage, **options)
        found = study.load("digits-mlp-sgd-2-epochs", storage)
    else:
        found = study.find_schedule(dataset="digits", **options)
    assert len(found.trials) == 4


@pytest.fixture
def heeded():
    """Ctrl-C is heeded, also where it was ignored when this process began, as in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_an_interruption_while_a_study_is_opened_ends_it_at_once(tmp_path, monkeypatch):
    """Reading a study of many trials takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("study.shown.print_opened", lambda *arguments: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr("study.assembly.agree", lambda *arguments: pytest.fail("it went on"))
    with pytest.raises(KeyboardInterrupt):
        study.find_schedule(dataset="digits", storage="a.db", **FEW)
    monkeypatch.undo()
    found = study.find_schedule(dataset="digits", storage=tmp_path / "a.db", **FEW)
    assert len(found.trials) == FEW["trials"], "it can be opened again"


def test_an_interruption_that_the_users_code_raises_is_none(monkeypatch):
    """In memory, what was found would otherwise be returned as if Stop had been pressed."""
    from study.search.search import search

    def search_of_broken_code(*arguments):
        for bracket in search(*arguments):
            yield bracket
            raise KeyboardInterrupt

    monkeypatch.setattr("study.search.study_plan.search", search_of_broken_code)
    with pytest.raises(KeyboardInterrupt):
        study.find_schedule(dataset="digits", **FEW)


def test_what_ended_in_memory_is_returned_also_from_the_midst_of_a_bracket(monkeypatch):
    from study.search.search import search

    def interrupted_search(*arguments):
        for bracket in search(*arguments):
            if bracket.tried == 3:
                signal.raise_signal(signal.SIGINT)
            yield bracket

    monkeypatch.setattr("study.search.study_plan.search", interrupted_search)
    options = FEW | {"epochs": 4, "rung_fractions": [0.25], "least_steps": 1, "trials": 50}
    found = study.find_schedule(dataset="digits", **options)
    assert 2 <= len(found.trials) <= 3
    assert not found.trials["complete"].any()
    assert (found.trials["epochs"] <= 1).all()
    assert repr(found) == f"<Result of study 'digits-mlp-sgd-4-epochs': {len(found.trials)} trials; no full run yet>"


def test_families_are_compared(tmp_path):
    options = {"trials_per_family": 2, "confirm_seeds": 2, "progress": False, "engine": "loop"}
    compared = study.compare_families(dataset="digits", families=["linear", "rex"], epochs=[1, 2], **options)
    assert set(compared.results) == {(family, epochs) for family in ("linear", "rex") for epochs in (1, 2)}
    assert len(compared.trials) == 8
    assert all(len(one.confirmed.test) == 2 for one in compared.studies)
    assert {one.settings.pruner for one in compared.studies} == {"none"}
    assert compared.report(tmp_path).is_file()
    one = study.compare_families(dataset="digits", families=["linear"], epochs=1, storage=tmp_path / "a.db", **options)
    assert study.load("benchmark-digits-mlp-sgd", tmp_path / "a.db").studies == one.studies


def test_a_function_that_can_be_imported_is_known_by_its_name(tmp_path):
    found = study.find_schedule(dataset="digits", model=make_model, storage=tmp_path / "a.db", **FEW)
    assert found.record.settings.model == "tests.test_api:make_model"
    assert "objects" not in found.record.configuration
    (run,) = found.reproduce(found.best.number)
    assert run.found == run.stored


def test_names_are_taken_as_at_the_command_line():
    """Also beside data that is given as an object, where only names are known."""
    found = study.find_schedule(dataset="digits", model="cnn", optimizer="adamw", **FEW)
    assert (found.record.settings.model, found.record.settings.optimizer) == ("cnn", "adamw")
    beside = study.find_schedule(model="mlp", optimizer="adamw", data=rows(), **FEW)
    assert (beside.record.settings.dataset, beside.record.settings.model) == ("data", "mlp")
    assert beside.record.name == "data-mlp-adamw-2-epochs"
    whole = study.find_schedule(workload=f"{__name__}:whole_workload", **FEW)
    assert whole.record.workload == "whole"
    with pytest.raises(InputError, match="unknown model 'mpl': did you mean 'mlp'"):
        study.compare_families(model="mpl")
    mixed = study.find_schedule(
        workload=f"{__name__}:whole_workload", optimizer=lambda params: torch.optim.NAdam(params), **FEW
    )
    assert mixed.record.workload == "whole"
    assert mixed.record.steps_per_epoch == 16
    with pytest.raises(InputError, match="workload replaces model: remove model"):
        study.find_schedule(workload=f"{__name__}:whole_workload", model=lambda: 3, **FEW)


def whole_workload():
    return Workload("whole", DIGITS.load(DATA_ROOT).data, lambda: make_model((64,), 10))


def test_a_lambda_and_data_of_ones_own_are_searched_resumed_and_reproduced(tmp_path, command):
    width = 8
    lam = lambda input_shape, classes: nn.Linear(*input_shape, classes)  # noqa: E731
    options = FEW | {"storage": tmp_path / "a.db", "study": "mine"}
    first = study.find_schedule(model=lam, data=rows(), **options | {"trials": 2})
    assert first.record.settings.dataset == "data"
    assert first.record.settings.model.endswith("<lambda>")
    found = study.find_schedule(model=lam, data=rows(), **options)
    assert len(found.trials) == 4
    assert found.best.value < 0.5
    other = lambda input_shape, classes: nn.Sequential(nn.Linear(*input_shape, width), nn.Linear(width, classes))  # noqa: E731
    with pytest.raises(InputError, match="the model's parameter names or shapes have changed since study 'mine'"):
        study.find_schedule(model=other, data=rows(), **options)
    x, y = rows()
    with pytest.raises(InputError, match="study 'mine' was made with data "):
        study.find_schedule(model=lam, data=(x + 1, y), **options)
    said = command("reproduce.py", "--study", "mine", "--trial", 0, "--storage", f"sqlite:///{tmp_path / 'a.db'}")
    assert said.code == 2
    assert "study.load('mine', storage=...), and its reproduce(trial, data=..., model=...)" in said.err
    with pytest.raises(InputError, match=r"reproduce\(trial, model=...\)"):
        study.load("mine", tmp_path / "a.db").reproduce(0, data=rows())
    for objects in ({"model": other}, {"model": lam, "optimizer": lambda params: torch.optim.NAdam(params)}):
        with pytest.raises(InputError, match="the function '.*' is not what study 'mine' was made with"):
            found.reproduce(0, data=rows(), **objects)
    (run,) = study.load("mine", tmp_path / "a.db").reproduce(0, data=rows(), model=lam)
    assert run.found == run.stored


def test_a_whole_workload_is_searched():
    data = DIGITS.load(DATA_ROOT).data
    workload = Workload("mine", data, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    found = study.find_schedule(workload=workload, **FEW)
    assert found.record.name == "mine-sgd-2-epochs"
    assert found.best.value < 0.9


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": nn.Linear(2, 2)}, "model must be a function that returns a new model"),
        ({"model": 3}, "model must be a name or a function, but 3 was given"),
        ({"workload": 3}, "workload must be a Workload"),
        ({"dataset": "fashion-mnist", "data": rows()}, "data replaces dataset: remove dataset, but 'fashion-mnist'"),
        ({"dataset": "mnist1d", "data": rows(), "target": "y"}, "data replaces target: remove target, but 'y' was"),
        (
            {"workload": Workload("w", made_data("rows", rows(), None, 0), make_model), "model": make_model},
            "workload replaces .*: remove",
        ),
        ({"families": "rex"}, r"families must be tuple\[str, ...\], but 'rex' was given"),
        ({"epochs": 1.5}, "epochs must be int, but 1.5 was given"),
        ({"engine": None}, "engine must be str, but None was given"),
        ({"data": 3}, r"must return \(x, y\), a torch Dataset, or a dict of either, but 'int' was given"),
        ({"optimizer": lambda params: 3}, "must make a torch Optimizer, but 'int' was given"),
        ({"model": lambda width: nn.Linear(2, 2)}, "requires 'width', but can only be given input_shape, classes"),
        (
            {"executor": "processes", "model": lambda: nn.Linear(6, 2), "data": rows()},
            "workers requires functions of a module",
        ),
    ],
)
def test_objects_that_do_not_fit_are_refused(given, said):
    with pytest.raises(InputError, match=said):
        study.find_schedule(**({} if "data" in given else {"dataset": "digits"}) | FEW | given)


def with_extra(params, extra):
    return torch.optim.NAdam(params, lr=extra["a"] / 100)


@pytest.mark.parametrize(
    ("optimizer", "code"),
    [
        (torch.optim.NAdam, "torch.optim.nadam.NAdam(model.parameters())"),
        (partial(torch.optim.NAdam, eps=0.1), "make_optimizer(model.parameters())"),
        (partial(with_extra, extra={"a": 1}), "make_optimizer(model.parameters())"),
        (lambda params: torch.optim.NAdam(params), "make_optimizer(model.parameters())"),
    ],
    ids=["a class", "a partial", "one that binds a dict", "a lambda"],
)
def test_an_optimizer_as_an_object_is_named_in_exported_code(optimizer, code):
    found = study.find_schedule(dataset="digits", optimizer=optimizer, **FEW)
    assert f"optimizer = {code}\n" in found.code("torch")
    compile(found.code("lightning"), "exported", "exec")
    (run,) = found.reproduce(found.best.number, optimizer=optimizer)
    assert run.found == run.stored


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"confirm_seeds": 0}, "confirm_seeds must be at least 1"),
        ({"search_seeds": 0}, "search_seeds must be at least 1"),
        ({"trials_per_family": 0}, "trials_per_family must be at least 1"),
        ({"epochs": []}, "epochs needs at least one budget"),
        ({"epochs": [2, 0]}, "epochs must be at least 1"),
    ],
)
def test_a_comparison_of_nothing_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        study.compare_families(dataset="digits", families=["rex"], progress=False, **given)


def test_the_defaults_of_a_comparison_are_those_of_the_command_line():
    options = runpy.run_path(str(ROOT / "scripts/benchmark.py"))["Options"]
    there = {field.name: field.default for field in fields(options)}
    here = unwrap(study.compare_families).__kwdefaults__
    assert here["epochs"] == there["epochs"][0]
    for name in ("trials_per_family", "confirm_seeds", "search_seeds", "name", "device", "data_root"):
        assert here[name] == there[name]
    with pytest.raises(InputError, match="load needs the storage that holds the study"):
        study.load("mine", None)


def test_the_session_is_left_as_it_was():
    """Torch's random numbers go on as without the search, and Optuna says as much as before."""
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    study.find_schedule(dataset="digits", **FEW)
    assert torch.equal(torch.rand(2), expected)
    assert {"find_schedule", "compare_families", "load", "Result"} <= set(dir(study))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 0}, "trials must be at least 1, but 0 was given"),
        ({"trials": "3"}, "trials must be at least 1, but '3' was given"),
        ({"enqueue": "schedule.json"}, "cannot read schedule.json"),
        ({"storage": "what?.db"}, "the name of a storage file must not contain"),
    ],
)
def test_what_cannot_be_is_refused_in_one_message(given, said):
    with pytest.raises(InputError, match=said):
        study.find_schedule(dataset="digits", **FEW | given)


def test_data_may_be_a_frame_or_a_tensor_in_training():
    """The same numbers, the same study."""
    x, y = rows()
    frame, column = pd.DataFrame(x.numpy(), index=range(7, 407)), pd.Series(y.numpy(), index=range(7, 407))
    given = [(x, y), (frame, column), (x.clone().requires_grad_(), y)]
    plain, as_frame, as_parameter = (study.find_schedule(data=data, **FEW) for data in given)
    assert plain.record.configuration["data"] == as_frame.record.configuration["data"]
    assert list(plain.trials["value"]) == list(as_frame.trials["value"]) == list(as_parameter.trials["value"])
