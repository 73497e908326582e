"""Datasets of the user's: what their items may be, and messages that name what an item is."""

import numpy as np
import pytest
import torch

from search_spaces import InputError
from study.workloads.datasets import made_data
from study.workloads.workload import workload_of
from tests.own_data import Items


def numbers(row):
    return torch.arange(3.0) + row


@pytest.mark.parametrize(
    ("make", "given"),
    [
        (lambda row: (numbers(row), row % 2, {"id": row}), "'an item of 3 parts'"),
        (lambda row: {"x": numbers(row), "y": row % 2}, "'a dict of x, y'"),
        (numbers, "'Tensor'"),
    ],
)
def test_items_that_are_not_pairs_are_named(make, given):
    with pytest.raises(
        InputError, match=rf"an item must be \(x, y\), or a dict with 'labels'.*, but {given} was given"
    ):
        made_data("mine", Items(make), None, 0)


def test_a_dataset_that_fails_or_has_no_length_is_one_message():
    def leaves(row):
        raise SystemExit

    with pytest.raises(InputError, match=r"mine \(train\): an example cannot be read: SystemExit"):
        made_data("mine", Items(leaves), None, 0)
    with pytest.raises(InputError, match=r"mine \(train\) has no length: ValueError: __len__\(\) should return >= 0"):
        made_data("mine", Items(lambda row: (numbers(row), 0), rows=-1), None, 0)


def test_items_of_numpys_float64_are_given_as_float32_and_gradients_are_not_followed():
    data = made_data("mine", Items(lambda row: (np.arange(3.0) + row, row % 2)), None, 0)
    assert data.train.first(2)[0].dtype == torch.float64
    assert workload_of("w", data, "mlp").data.train.first(2)[0].dtype == torch.float32
    tracked = made_data("mine", Items(lambda row: (numbers(row), row % 2)), None, 0)
    assert not tracked.train.first(2)[0].requires_grad


def test_what_is_like_a_dataset_is_one():
    class Like:
        def __len__(self):
            return 100

        def __getitem__(self, row):
            return {"input_ids": [row, 1], "labels": row % 2}

    data = made_data("mine", Like(), None, 0)
    assert (data.input_shape, data.classes, data.resident) == ({"input_ids": (2,)}, 2, False)


def with_text(row):
    return {"text": f"row {row}", "words": ["row", str(row)], "input_ids": [row, 1], "label": row % 2}


def test_text_beside_numbers_is_left_out_and_named():
    """As a dataset of Hugging Face has its rows after `map(tokenize)`."""
    data = made_data("mine", Items(with_text), None, 0)
    assert data.input_shape == {"input_ids": (2,)}
    assert "left out: text, words (text)" in data.about.splitlines()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda row: {"text": "a", "label": 0}, "'text' must be numbers, but text was given"),
        (lambda row: {"x": row, "text": "a", "label": "spam"}, "'label' must be numbers, but text was given"),
        (lambda row: ("a text", 0), "'x' must be numbers: convert or remove it, but 'a text' was given"),
        (lambda row: (numbers(row), "spam"), "'y' must be numbers: convert or remove it, but 'spam' was given"),
        (lambda row: ({"x": row, "text": "a"}, 0), "'text' must be numbers: convert or remove it, but 'a' was given"),
    ],
)
def test_text_that_cannot_be_left_out_is_named(make, said):
    with pytest.raises(InputError, match=rf"mine \(train\): {said}"):
        made_data("mine", Items(make), None, 0)
