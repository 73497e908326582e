"""The user's data: files, folders and functions, in memory or streamed, and messages for invalid data."""

from textwrap import dedent

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from search_spaces import Cosine, InputError, Plateau
from study.objective import Run
from study.workloads.datasets import Source, made_data
from study.workloads.streamed import StreamedSplit
from study.workloads.workload import Workload
from tests.helpers import read, start, trainer

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


class Rows(Dataset):
    """As TensorDataset, but not one."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        return self.x[row], self.y[row]


class Broken(Rows):
    def __getitem__(self, row):
        if row > 100:
            raise ValueError(f"no row {row}")
        return super().__getitem__(row)


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


def with_dropout():
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(16, 2))


def test_rows_read_as_they_are_needed_train_the_same_to_the_last_bit():
    """Dropout too: what the workers draw is not taken from the model's random numbers."""
    resident = made_data("rows", (X, Y), None, 0)
    lazy = made_data("rows", Rows(X, Y), None, 0)
    assert (resident.resident, lazy.resident) == (True, False)
    assert (lazy.classes, lazy.input_shape) == (2, (6,))
    runs = [
        Run(Cosine(peak_lr=0.1), 3, 0, evaluations=3, test=True),
        Run(Plateau(peak_lr=0.1, evaluations=5), 2, 7, evaluations=2),
    ]
    found = [list(trainer(Workload("w", data, with_dropout, batch_size=32)).train(runs)) for data in (resident, lazy)]
    assert found[0] == found[1]
    assert len(found[0]) == 3 + 5
    assert found[0][2].test_metric is not None


def test_the_splits_share_no_row_and_hold_all():
    data = made_data("rows", Rows(torch.arange(100.0)[:, None], Y[:100]), None, 3)
    rows = [
        next(split.fetch([torch.arange(split.rows)]))[0].flatten() for split in (data.train, data.validation, data.test)
    ]
    assert [len(part) for part in rows] == [70, 15, 15]
    assert torch.cat(rows).sort().values.tolist() == list(range(100))


def test_a_row_that_cannot_be_read_is_told_in_one_line():
    split = StreamedSplit(Broken(X, Y))
    with pytest.raises(InputError, match="an example cannot be read .ValueError: no row 1") as told:
        list(split.parts(50))
    assert "\n" not in str(told.value)


def test_a_row_that_cannot_be_read_without_a_message_is_told_by_the_type():
    class Silent(Broken):
        def __getitem__(self, row):
            raise EOFError

    with pytest.raises(InputError, match=r"an example cannot be read \(EOFError\)"):
        list(StreamedSplit(Silent(X, Y)).parts(50))


def test_what_a_function_may_return():
    parts = {"train": (X, Y), "val": (X[:20], Y[:20]), "test": (X[20:50], Y[20:50])}
    data = made_data("mine", parts, None, 0)
    assert (data.train.rows, data.validation.rows, data.test.rows) == (200, 20, 30)
    assert torch.equal(data.train.x[data.train.x[:, 0].argsort()], X[X[:, 0].argsort()]), (
        "as they are, in another order"
    )
    tensors = made_data("mine", TensorDataset(X, Y), None, 0)
    assert tensors.fingerprint() == made_data("mine", (X.numpy(), Y.numpy()), None, 0).fingerprint()
    words = made_data("mine", (X, np.where(Y == 1, "up", "down")), None, 0)
    assert torch.equal(words.train.y, made_data("mine", (X, Y), None, 0).train.y)
    numbers = made_data("mine", (X, X @ torch.ones(6, 3)), None, 0)
    assert (numbers.task, numbers.classes, numbers.train.y.shape) == ("regression", 3, (140, 3))
    assert made_data("mine", numbers, None, 0) is numbers


@pytest.mark.parametrize(
    ("made", "task", "said"),
    [
        (None, None, r"must return \(x, y\), a torch Dataset, or a dict of either, but 'NoneType' was given"),
        ({"trian": (X, Y)}, None, "unknown part of mine 'trian': did you mean 'train'"),
        ({"val": (X, Y)}, None, "must return a part named train"),
        (
            {"train": (X, Y), "val": (X, Y + 5)},
            None,
            r"mine .validation.: class \d+ has no training row: remove its rows",
        ),
        ((X, Y[:5]), None, r"mine .train.: x and y must have the same number of rows, but .200, 5. was given"),
        ((X * np.nan, Y), None, "200 of 200 rows contain NaN or infinity, the first is row 0: fill them in or remove"),
        ((X, torch.zeros(200).long()), None, "the target needs at least two classes, but .0. was given"),
        ((X, Y[:, None].expand(-1, 4)), None, r"for a custom loss, use --workload package.module:function"),
        ((X, X[:, 0] * np.inf), None, "targets of mine .train.: .* rows contain NaN or infinity"),
        ((X, np.array(["a"] * 200)), "regression", "regression needs numeric targets, but \"'a'\" was given"),
        ((np.array([["a"]] * 200), Y), None, "x of mine must be numeric, but an array of <U1 was given"),
        (([["a"]] * 200, Y), None, "x of mine must be numeric, but an array of <U1 was given"),
        ((X[:2], Y[:2]), None, "mine needs more rows for separate train, validation and test parts"),
        (Rows(X * np.nan, Y), None, "mine: the examples must be finite, but 'NaN or infinity' was given"),
        (Rows(X, torch.zeros(200).long()), None, "the target needs at least two classes"),
        (Stream(), None, "must be a map-style Dataset, with __len__ and __getitem__"),
    ],
)
def test_what_cannot_be_learnt_from_is_told(made, task, said):
    with pytest.raises(InputError, match=said):
        made_data("mine", made, task, 0)


def test_arrays(tmp_path):
    path = tmp_path / "waves.npz"
    pictures = np.random.default_rng(0).integers(0, 255, (100, 1, 8, 8), dtype=np.uint8)
    labels = np.arange(100) % 3 + 5
    np.savez(path, x=pictures, y=labels, x_test=pictures[:10], y_test=labels[:10])
    data = read(path)
    assert (data.train.rows, data.validation.rows, data.test.rows, data.classes) == (85, 15, 10, 3)
    assert data.train.x.mean().item() == pytest.approx(0, abs=1e-6)
    assert data.test.y.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    np.savez(path, x=pictures.astype(np.int64), y=labels * 0.5)
    data = read(path)
    assert (data.task, data.train.x.dtype) == ("regression", torch.int64), "whole numbers are token ids"
    np.savez(path, x=pictures, z=labels)
    with pytest.raises(InputError, match="unknown array in .* 'z'"):
        read(path)
    np.savez(path, x=pictures)
    with pytest.raises(InputError, match="must contain both x and y, but 'x' was given"):
        read(path)
    np.savez(path, x=np.array([{}, {}]), y=labels)
    with pytest.raises(InputError, match=r"cannot be read .*: convert arrays of Python objects"):
        read(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read .*: save it with numpy.savez"):
        read(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dataset": "minst1d"}, "unknown dataset 'minst1d': did you mean 'mnist1d'? Valid: mnist1d, "),
        ({"dataset": "no-folder", "image_size": 8}, "unknown dataset 'no-folder'. Valid: mnist1d, "),
        ({"dataset": "gone.csv", "target": "y"}, "--dataset gone.csv: no such file in /"),
        ({"dataset": "gone.npz"}, "--dataset gone.npz: no such file in /"),
        ({"dataset": "digits", "target": "y"}, "--target is for tables (.csv, .tsv, .txt): remove --target y"),
        (
            {"dataset": "digits", "image_size": 8},
            "--image-size is for folders of images: remove --image-size 8",
        ),
        ({"dataset": "digits", "task": "regression"}, "digits is a classification: remove --task regression"),
        (
            {"dataset": "nowhere.at.all:data"},
            "--dataset nowhere.at.all:data: no module 'nowhere' in the current",
        ),
        ({"dataset": "json:dmups"}, "unknown function 'dmups' in json: did you mean 'dumps'? Valid: "),
        (
            {"dataset": "json:dumps"},
            "--dataset json:dumps requires 'obj', but can only be given split_seed, data_r",
        ),
        ({"dataset": "math:nan"}, "--dataset must name a function or a class, but 'math:nan' was given"),
    ],
)
def test_what_is_not_there_is_told(options, said):
    with pytest.raises(InputError) as told:
        Source(**options).read(None, 0)
    assert str(told.value).startswith(said)


def test_lazy_data_trains_in_the_plain_loop_only(storage):
    from study.executors.choice import Demand, check_workers, choose
    from study.executors.options import ExecutorOptions
    from study.training.workload_objective import WorkloadObjective

    objective = WorkloadObjective(Workload("w", made_data("rows", Rows(X, Y), None, 0), with_dropout))
    demand = Demand(most_together=5, steps=64)
    assert objective.lockstep_obstacle() == "its data is not in memory"
    engine, reason, _ = choose(objective, ExecutorOptions(), demand)
    assert (engine.cohort, engine.workers) == (1, 0)
    assert "not in lockstep: its data is not in memory" in reason
    with pytest.raises(InputError, match=r"cannot be trained in lockstep \(its data is not in memory\)"):
        choose(objective, ExecutorOptions("lockstep"), demand)
    with pytest.raises(InputError, match="rows already has worker processes that read it: remove --workers"):
        check_workers(ExecutorOptions(workers=2), objective, demand)


def test_a_project_of_ones_own_is_searched_reported_and_reproduced(command, tmp_path):
    """In an empty folder; reproduced in a process of its own; a changed module is noticed."""
    code = """
    import torch
    from torch import nn

    def data(split_seed):
        x = torch.randn(300, 6, generator=torch.Generator().manual_seed(1))
        return x, (x[:, 0] > 0).long()

    class Model(nn.Sequential):
        def __init__(self, classes):
            super().__init__(nn.Linear(6, classes))
    """
    (tmp_path / "own_project.py").write_text(dedent(code))
    flags = ["--dataset", "own_project:data", "--model", "own_project:Model", "--epochs", 2, "--study", "mine"]
    found = command("search.py", *flags, "--trials", 4)
    assert "Data: own_project:data: 210 + 45 + 45 rows for train, validation and test;\n  classification" in found.out
    assert "note: only 45 validation rows: one row is 2.2% of them" in found.out
    assert "Cost: " in found.out
    process = start("reproduce.py", "--study", "mine", "--trial", 1, cwd=tmp_path)
    assert process.communicate(timeout=250)[0].endswith("Reproduced to the last bit.\n")
    for what in (["--study", "mine"], ["--rebuild", "results/mine"]):
        assert "results/mine/report.html" in command("report.py", *what).out
    (tmp_path / "own_project.py").write_text(dedent(code) + "# changed\n")
    found = command("reproduce.py", "--study", "mine", "--trial", 1)
    assert (found.code, found.err[:28]) == (2, "error: own_project.py has ch")
    found = command("search.py", *flags, "--trials", 5)
    assert "error: own_project.py has changed since study 'mine' was created" in found.err
