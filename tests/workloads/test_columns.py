"""What columns are taken for, by the situations in which people found their tables misread."""

import pytest
import torch

from tests.tables import numbers, read, write_table


def labels(value):
    return "good" if value > 0 else "bad"


def test_one_dash_among_numbers_is_an_empty_cell(tmp_path):
    rows = [[f"{a}", f"{b}", labels(a)] for a, b in numbers()]
    rows[50][0] = "-"
    dash = read(write_table(tmp_path / "dash.csv", "a,b,y", map(",".join, rows)))
    rows[50][0] = ""
    empty = read(write_table(tmp_path / "empty.csv", "a,b,y", map(",".join, rows)))
    assert torch.equal(dash.train.x, empty.train.x)
    assert dash.input_shape == (2,) or dash.input_shape == (3,), "two numbers, and whether one is missing in training"
    assert "read as empty cells ('-'): a" in dash.about


@pytest.mark.parametrize("written", ['"{0:,}"', "{0}%", "${0}", "{0} km", '"${0:,}"'])
def test_numbers_with_thousands_or_units_are_those_numbers(tmp_path, written):
    values = [(int(100000 * (a + 5)), b, labels(a)) for a, b in numbers()]
    plain = read(write_table(tmp_path / "plain.csv", "a,b,y", [f"{a},{b},{y}" for a, b, y in values]))
    found = read(write_table(tmp_path / "units.csv", "a,b,y", [f"{written.format(a)},{b},{y}" for a, b, y in values]))
    assert torch.equal(plain.train.x, found.train.x)
    assert "read as numbers (" in found.about


def test_words_among_many_numbers_are_named(tmp_path):
    rows = [f"{'many' if i == 3 else a},{b},{labels(b)}" for i, (a, b) in enumerate(numbers())]
    found = read(write_table(tmp_path / "odd.csv", "a,b,y", rows))
    assert "numbers: a, b" in found.about
    assert "read as empty cells ('many'): a" in found.about


def test_few_codes_of_which_one_is_a_word_stay_categories(tmp_path):
    """In a table so wide that pandas reads it in pieces, a code is not 0 in one piece and 0.0 in the next."""
    codes = ["" if i == 5 else "A7" if i > 2600 and i % 9 == 0 else str(i % 4) for i in range(3000)]
    wide = ",".join(["0.5"] * 400)
    header = f"code,{','.join(f'f{i}' for i in range(400))},y"
    rows = [f"{code},{wide},{'ab'[i % 4 % 2]}" for i, code in enumerate(codes)]
    found = read(write_table(tmp_path / "mixed.csv", header, rows))
    assert found.input_shape == (400 + 6,)
    assert "categories: code (6 features)" in found.about


def test_blanks_at_the_end_make_no_other_class_or_category(tmp_path):
    rows = [f"{a},{'u' if b > 0 else 'v'}{' ' * (i % 5 == 0)},{labels(a)}{' ' * (i % 7 == 0)}"
            for i, (a, b) in enumerate(numbers())]  # fmt: skip
    found = read(write_table(tmp_path / "trail.csv", "a,b,y", rows))
    assert (found.classes, found.input_shape) == (2, (3,))


def test_na_is_a_class_and_a_category(tmp_path):
    rows = [f"{a},{['NA', 'None', 'x'][i % 3]},{['NA', 'EU', 'AS'][(a > 0) + (b > 0)]}"
            for i, (a, b) in enumerate(numbers())]  # fmt: skip
    found = read(write_table(tmp_path / "na.csv", "a,b,y", rows))
    assert (found.classes, found.input_shape) == (3, (1 + 3,))
    assert sum(split.rows for split in (found.train, found.validation, found.test)) == 120


def test_the_saved_index_is_left_out(tmp_path):
    ordered = sorted((labels(a + b), b) for a, b in numbers())
    found = read(write_table(tmp_path / "index.csv", ",noise,y", [f"{i},{b},{y}" for i, (y, b) in enumerate(ordered)]))
    assert found.input_shape == (1,)
    assert "left out: Unnamed: 0 (saved row numbers)" in found.about


def test_dates_and_texts_are_left_out_and_named(tmp_path):
    rows = [f"2024-{1 + i % 12:02}-{1 + i % 28:02},note {i},{a},{labels(b)}" for i, (a, b) in enumerate(numbers())]
    found = read(write_table(tmp_path / "dates.csv", "day,note,a,y", rows))
    assert found.input_shape == (1,)
    assert "left out: day (dates; to split by time: --split-time day); note (text, different in nearly" in found.about


def test_categories_that_share_a_feature_are_named(tmp_path):
    rows = [f"code{i % 100},{i % 7},{'ab'[i % 2]}" for i in range(1500)]
    found = read(write_table(tmp_path / "many.csv", "code,b,y", rows))
    assert "categories: code (50 features; 51 of 100 values of 'code' share one feature)" in found.about
