"""Arrays as users have them: every type keeps its numbers, and a model gets the type that it takes."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from search_spaces import InputError
from study.training.workload_check import check_workload
from study.workloads.array_data import data_of_arrays
from study.workloads.datasets import made_data
from study.workloads.workload import workload_of

X = torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def workload(made, model="mlp"):
    """The workload with the data as the model takes it, checked."""
    found = workload_of("w", made_data("mine", made, None, 0), model)
    check_workload(found)
    return found


def double_model(input_shape, classes):
    return nn.Linear(*input_shape, classes).double()


def embedding(classes):
    return nn.Sequential(nn.Embedding(256, 4), nn.Flatten(), nn.Linear(4 * 6, classes))


class RealAndImaginary(nn.Linear):
    def forward(self, x):
        return super().forward(torch.cat([x.real, x.imag], 1))


def test_a_model_of_float64_gets_float64_and_any_other_float32():
    assert workload((X.double(), Y), double_model).data.train.x.dtype == torch.float64
    assert workload((X.double(), Y)).data.train.x.dtype == torch.float32
    assert workload((X.double().numpy(), Y.numpy())).data.about.endswith("float64, given to the model as float32")


def test_bytes_are_ids_for_an_embedding_and_shares_of_255_for_any_other_model():
    ids = torch.randint(0, 200, (200, 6), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    as_ids, as_pixels = workload((ids, Y), embedding).data.train.x, workload((ids, Y)).data.train.x
    assert as_ids.dtype == torch.int64
    assert torch.equal(as_ids.float() / 255, as_pixels)


def test_complex_numbers_keep_their_imaginary_part():
    x = torch.complex(X, -X)
    found = workload((x, Y), lambda classes: RealAndImaginary(12, classes)).data.train.x
    assert torch.equal(found.imag, -found.real)
    assert found.real.unique().numel() == 140 * 6
    with pytest.raises(InputError, match=r"cannot be trained on examples of shape \(6,\), complex64: RuntimeError"):
        workload((x, Y))


@pytest.mark.parametrize("kind", [torch.int16, torch.int64, torch.bool])
def test_whole_numbers_are_standardised_for_a_model_that_takes_no_ids(kind):
    found = workload(((1000 * X).clamp(0).to(kind), Y)).data
    assert found.train.x.std(0) == pytest.approx(torch.ones(6), abs=1e-5)
    assert found.about.endswith("given to the model as float32, standardized")


def test_differences_that_float32_cannot_hold_are_kept():
    times = 1.7e9 + 60 * X.double()
    standardised = data_of_arrays("w", {"train": (times.numpy(), Y.numpy())}, None, 0, standardise=True).train.x
    expected = data_of_arrays("w", {"train": (X.double().numpy(), Y.numpy())}, None, 0, standardise=True).train.x
    assert standardised.dtype == torch.float32
    assert (standardised - expected).abs().max() < 1e-4
    assert made_data("w", (times, Y), None, 0).train.x.dtype == torch.float64
    constant = torch.full((200, 1), 0.1).double()
    assert made_data("w", (torch.cat([X.double(), constant], 1), Y), None, 0).train.x.dtype == torch.float32


@pytest.mark.parametrize(
    ("train", "test"),
    [(torch.float64, torch.float32), (torch.float32, torch.float64), (torch.float16, torch.float32)],
)
def test_parts_may_differ_in_precision(train, test):
    """Small whole numbers, which all of these types hold."""
    x = X.round()
    mixed = {"train": (x.to(train), Y), "test": (x[:50].to(test), Y[:50])}
    alike = {"train": (x, Y), "test": (x[:50], Y[:50])}
    assert workload(mixed).data.fingerprint() == workload(alike).data.fingerprint()


def test_all_parts_have_one_type_if_float32_cannot_hold_the_differences_in_one():
    times = 1.7e9 + 60 * X.double()
    found = made_data("w", {"train": (times, Y), "test": (X, Y)}, None, 0)
    assert {part.x.dtype for part in (found.train, found.validation, found.test)} == {torch.float64}


@pytest.mark.parametrize("test", [X[:, :5], X.long(), X.byte()])
def test_parts_of_another_shape_or_kind_are_refused(test):
    with pytest.raises(InputError, match=r"w \(test\): examples must have shape and type of .* \(6,\), float32, but"):
        made_data("w", {"train": (X, Y), "test": (test, Y)}, None, 0)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_targets_of_another_shape_in_one_part_are_refused(task):
    """Classes could not be joined, and numbers were standardised by the deviation of others."""
    pairs = torch.stack([Y, Y], dim=1)[:, :, None].expand(-1, 2, 2)
    with pytest.raises(InputError, match=r"w \(test\): targets must .* train, \(\) in each row, but \(2, 2\) was"):
        made_data("w", {"train": (X, Y), "test": (X, pairs)}, task, 0)


def test_frames_and_series_are_arrays():
    frames = pd.DataFrame(X.numpy(), index=range(7, 207)), pd.Series(Y.numpy(), index=range(7, 207))
    assert made_data("w", frames, None, 0).fingerprint() == made_data("w", (X, Y), None, 0).fingerprint()


@pytest.mark.parametrize("kind", [">f4", ">f8", "g", ">i8", ">u2", "f2"])
def test_numbers_of_another_byte_order_or_size(kind):
    x, y = np.arange(200 * 6).reshape(200, 6) % 7, np.arange(200) % 2
    found = made_data("w", (x.astype(kind), y.astype(kind)), "classification", 0)
    assert torch.equal(found.train.x.long(), made_data("w", (x, y), "classification", 0).train.x)


@pytest.mark.parametrize("kind", ["int64", "float32", "bool"])
def test_one_hot_targets_are_classes(kind):
    found = made_data("w", (X, np.eye(3)[np.arange(200) % 3].astype(kind)), None, 0)
    plain = made_data("w", (X, np.arange(200) % 3), None, 0)
    assert (found.task, found.classes) == ("classification", 3)
    assert torch.equal(found.train.y, plain.train.y)
    assert "one-hot targets read as classes" in found.about


def test_one_hot_targets_of_a_regression_are_numbers():
    y = np.eye(3)[np.arange(200) % 3]
    found = made_data("w", (X, y), "regression", 0)
    assert (found.task, found.classes, "one-hot" in found.about) == ("regression", 3, False)
    parts = (found.train, found.validation, found.test)
    assert sum(part.y.sum(0) for part in parts).tolist() == y.sum(0).tolist()


def test_a_column_of_classes_is_flattened_and_objects_are_what_they_hold():
    assert made_data("w", (X, Y[:, None]), None, 0).train.y.shape == (140,)
    words = np.array(["no", "yes"], dtype=object)[Y.numpy()]
    assert torch.equal(made_data("w", (X, words), None, 0).train.y, made_data("w", (X, Y), None, 0).train.y)


class Rows(TensorDataset):
    """A Dataset that is read row by row, unlike torch's own."""


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ((X.to_sparse(), Y), "x of w must be a dense tensor, but a torch.sparse_coo tensor was given"),
        ((X.to("meta"), Y), "x of w must be a dense tensor, but a meta tensor was given: make it on"),
        ((X, [[1], [1, 2]] * 100), "y of w must have rows of equal shape"),
        ((X, np.array([{}, 1] * 100)), "y of w holds Python objects of several types"),
        (
            (np.full((200, 1), 2**64 - 1, "u8"), Y),
            "x of w must be at most 9223372036854775807, but 18446744073709551615",
        ),
        ((X[:, :0], Y), r"w \(train\): the examples must not be empty, but \(200, 0\) was given"),
        ((X, np.zeros((200, 0), "f4")), r"w \(train\): the targets must not be empty, but \(200, 0\) was given"),
        ((X, np.zeros((200, 0), "i8")), r"w \(train\): the targets must not be empty"),
        (TensorDataset(X, X[:, :0]), r"w \(train\): the targets must not be empty"),
        (Rows(X, X[:, :0]), r"w: the targets must not be empty, but \(2, 0\) was given"),
        (Rows(X[:, :0], Y), r"w: the examples must not be empty, but \(2, 0\) was given"),
        (("x", "y"), "x of w must be numeric"),
    ],
)
def test_what_has_no_numbers_is_refused(made, said):
    with pytest.raises(InputError, match=said):
        made_data("w", made, None, 0)


def test_tensors_that_require_gradients_are_only_numbers():
    found = made_data("w", (X.clone().requires_grad_(), Y), None, 0)
    assert not found.train.x.requires_grad
