"""Tables: the features, that nothing is learned from validation or test rows, and messages for invalid tables."""

import numpy as np
import pandas as pd
import pytest
import torch

from search_spaces import InputError
from study.workloads.table import TableOptions
from study.workloads.table import read_table as read

ROWS = 200


def read_table(path, target, task=None, split_seed=0, **options):
    return read(path, TableOptions(target, task, **options), split_seed)


def frame():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": random.normal(3, 2, ROWS),
            "age": random.integers(0, 90, ROWS),
            "colour": random.choice(["red", "green"], ROWS),
            "price": random.normal(5e5, 1e5, ROWS),
            "stars": random.integers(1, 6, ROWS),
            "sold": random.choice(["yes", "no"], ROWS),
        }
    )
    table.loc[::9, "size"] = np.nan
    table.loc[::13, "colour"] = None
    return table


@pytest.fixture
def path(tmp_path):
    frame().to_csv(tmp_path / "houses.csv", index=False)
    return tmp_path / "houses.csv"


@pytest.mark.parametrize(
    ("target", "task", "found", "classes"),
    [
        ("sold", None, "classification", 2),
        ("stars", None, "classification", 5),
        ("stars", "regression", "regression", 1),
        ("price", None, "regression", 1),
        ("age", None, "regression", 1),
        ("age", "classification", "classification", 90),
    ],
)
def test_the_task_is_found_or_said(path, target, task, found, classes):
    data = read_table(path, target, task, 0)
    assert data.task == found
    assert data.classes == (frame()[target].nunique() if found == "classification" else classes)
    assert (data.train.rows, data.validation.rows, data.test.rows) == (140, 30, 30)
    assert f"{found} of '{target}'" in data.about


def test_words_become_classes_in_sorted_order(path):
    data = read_table(path, "sold", None, 0)
    counted = torch.cat([split.y for split in (data.train, data.validation, data.test)]).bincount()
    assert counted.tolist() == [(frame()["sold"] == word).sum() for word in ("no", "yes")]


def test_a_regression_is_standardised_over_the_training_rows(path):
    y = read_table(path, "price", None, 0).train.y
    assert (y.mean().item(), y.std(correction=0).item()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-6))


def test_nothing_is_learnt_from_validation_and_test_rows(path, tmp_path):
    """With other numbers and categories there, the training rows are the same to the last bit."""
    before = read_table(path, "sold", None, 0)
    from study.workloads.splits import row_numbers

    held = torch.cat([row_numbers("", ROWS, 0, True, True)[part] for part in ("validation", "test")]).numpy()
    table = frame()
    table.loc[held, "size"] *= 1000
    table.loc[held, "colour"] = "never seen"
    table.to_csv(tmp_path / "other.csv", index=False)
    after = read_table(tmp_path / "other.csv", "sold", None, 0)
    assert torch.equal(before.train.x, after.train.x)
    assert not torch.equal(before.test.x, after.test.x)


def test_the_features_are_standard_numbers_and_one_column_a_category(path):
    data = read_table(path, "sold", None, 0)
    x = data.train.x
    # size, age, price, stars, whether size was missing; green, missing, red
    assert x.shape[1] == 5 + 3
    assert x[:, :5].mean(0).abs().max() < 1e-5
    assert (x[:, :5].std(0, correction=0) - 1).abs().max() < 1e-4
    assert x[:, 5:].sum(1).tolist() == [1.0] * data.train.rows


def test_the_test_rows_do_not_follow_the_split_seed(path):
    first, other = (read_table(path, "sold", None, seed) for seed in (0, 1))
    assert torch.equal(first.test.y, other.test.y)
    assert first.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    ("change", "target", "task", "said"),
    [
        (lambda t: t, None, None, "needs --target, the column to predict. Valid: size, age, colour, price"),
        (lambda t: t, "pricee", None, "unknown column 'pricee' in .*houses.csv: did you mean 'price'"),
        (lambda t: t, "sold", "regression", "regression needs numeric targets, but"),
        (lambda t: t, "price", "classification", "200 classes in 200 rows are too many to learn: use --task regress"),
        (lambda t: t.assign(sold="yes"), "sold", None, "the target needs at least two classes, but .'yes'. was given"),
        (lambda t: t.assign(price=1.5), "price", None, "the target must vary, but 1.5 was given"),
        (lambda t: t.assign(age=np.inf), "sold", None, "numbers must be finite or missing, but 'infinity in age' was"),
        (lambda t: t[["sold"]], "sold", None, "needs at least one column besides the target 'sold'"),
        (lambda t: t[["sold"]].assign(empty=np.nan), "sold", None, "needs at least one non-empty column besides the"),
        (lambda t: t[:3], "sold", None, "needs more rows for separate train, validation and test parts"),
    ],
)
def test_bad_tables_are_told(change, target, task, said, tmp_path):
    change(frame()).to_csv(tmp_path / "houses.csv", index=False)
    with pytest.raises(InputError, match=said) as told:
        read_table(tmp_path / "houses.csv", target, task, 0)
    assert "\n" not in str(told.value)


def test_what_is_no_table_is_told(tmp_path):
    for content in (b"", b"\x89PNG\x00\xff\xfe", b'a,b\n1,"2\n'):
        (tmp_path / "no.csv").write_bytes(content)
        with pytest.raises(InputError, match="no.csv cannot be read as a table"):
            read_table(tmp_path / "no.csv", "a", None, 0)


def test_separators_too_many_move_no_column(tmp_path):
    """Pandas alone would make an index of the first column, and predict the second."""
    lines = [f"{'ab'[i % 2]},{i},{i / 7}" for i in range(100)]
    (tmp_path / "even.csv").write_text("\n".join(["y,x1,x2", *lines]))
    (tmp_path / "trailing.csv").write_text("\n".join(["y,x1,x2", *(f"{line}," for line in lines)]))
    (tmp_path / "longer.csv").write_text("\n".join(["y,x1,x2", *(f"{line},7" for line in lines)]))
    even, trailing = (read_table(tmp_path / f"{name}.csv", "y", None, 0) for name in ("even", "trailing"))
    assert even.classes == trailing.classes == 2
    assert torch.equal(even.train.x, trailing.train.x)
    with pytest.raises(InputError, match="longer.csv: some lines have more fields than the header has names"):
        read_table(tmp_path / "longer.csv", "y", None, 0)
