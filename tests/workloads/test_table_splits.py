"""Splits by group and by time."""

import numpy as np
import pytest

from search_spaces import InputError
from tests.tables import numbers, read, write_table


def parts(found, column=0):
    return [split.x[:, column].numpy() for split in (found.train, found.validation, found.test)]


def test_rows_of_one_person_stay_in_one_part(tmp_path):
    """The feature `a` is the number of the person, so that it shows who is where."""
    rows = [f"p{i % 20}{' ' * (i % 3)},{i % 20},{b},{'ab'[i % 2]}" for i, (a, b) in enumerate(numbers(rows=400))]
    path = write_table(tmp_path / "people.csv", "person,a,b,y", rows)
    found = read(path, split_by="person")
    people = [set(part.tolist()) for part in parts(found)]
    assert [len(part) for part in people] == [14, 3, 3]
    assert not people[0] & people[1]
    assert not people[0] & people[2]
    assert not people[1] & people[2]
    assert found.input_shape == (2,), "the person is no feature"
    assert "split by 'person'" in found.about
    other = read(path, split_by="person", split_seed=1)
    assert set(parts(other)[2].tolist()), "test people do not follow the split seed"


def test_the_latest_rows_are_held_out(tmp_path):
    days = np.random.default_rng(0).permutation(200)
    rows = [f"{2020 + day // 100}-{1 + day % 100 // 10:02}-{1 + day % 10:02},{day},{'ab'[day % 2]}" for day in days]
    found = read(write_table(tmp_path / "days.csv", "day,a,y", rows), split_time="day")
    train, validation, test = parts(found)
    assert train.max() < validation.min() <= validation.max() < test.min()
    assert [len(train), len(validation), len(test)] == [140, 30, 30]


def test_the_order_of_times_must_be_certain(tmp_path):
    rows = [f"{1 + i % 12}/{1 + i % 28}/2024,{a},{'ab'[i % 2]}" for i, (a, b) in enumerate(numbers())]
    with pytest.raises(
        InputError, match="dates that begin with the year, such as 2024-12-31, but '1/1/2024' was given"
    ):
        read(write_table(tmp_path / "us.csv", "day,a,y", rows), split_time="day")
    rows = [f"2024,{a},{'ab'[i % 2]}" for i, (a, b) in enumerate(numbers())]
    with pytest.raises(InputError, match="--split-time needs more distinct times"):
        read(write_table(tmp_path / "year.csv", "year,a,y", rows), split_time="year")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split_by": "a", "split_time": "b"}, "give --split-by or --split-time, not both"),
        ({"split_by": "c"}, "unknown column 'c'"),
        ({"split_by": "y"}, "--target must not decide the split"),
        ({"split_by": "few"}, "needs a column of at least 4 distinct values, but 2 was given"),
    ],
)
def test_splits_that_make_no_sense_are_refused(tmp_path, options, said):
    rows = [f"{a},{b},{i % 2},{'ab'[i % 2]}" for i, (a, b) in enumerate(numbers())]
    with pytest.raises(InputError, match=said):
        read(write_table(tmp_path / "t.csv", "a,b,few,y", rows), **options)


@pytest.mark.parametrize(
    ("option", "held_out", "how"), [("split_by", 0, "split by 'group'"), ("split_time", 9, "in the order of 'group'")]
)
def test_a_split_that_leaves_train_one_class_is_named(tmp_path, option, held_out, how):
    """The rare class is in one group, which is no part of train."""
    rows = [f"{i % 10},{i},{'rare' if i % 10 == held_out else 'usual'}" for i in range(200)]
    path = write_table(tmp_path / "t.csv", "group,a,y", rows)
    said = f"t.csv, target 'y', {how}: all training rows are of class 'usual', one of 2: choose another split"
    with pytest.raises(InputError, match=said):
        read(path, **{option: "group"})
