"""Files that are tables: separators, encodings, headers; and messages that name the cause."""

import gzip

import pytest
import torch

from search_spaces import InputError
from study.workloads.columns import columns_of
from study.workloads.table_file import table_file
from tests.helpers import read as read_dataset
from tests.tables import numbers, read, write_table

ROWS = [(a, b, "good" if a + b > 0 else "bad") for a, b in numbers()]
LINES = [f"{a},{b},{y}" for a, b, y in ROWS]


@pytest.fixture
def plain(tmp_path):
    return read(write_table(tmp_path / "plain.csv", "a,b,y", LINES))


def test_semicolons_with_decimal_commas(tmp_path, plain):
    lines = [f"{a};{b};{y}".replace(".", ",") for a, b, y in ROWS]
    found = read(write_table(tmp_path / "semicomma.csv", "a;b;y", lines))
    assert torch.equal(found.train.x, plain.train.x)
    assert "separated by ; with decimal commas" in found.about


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("d;umsatz;preis", ["a;1.037;12,5", "a;999;3,25", "a;12.500;7,75"], {"umsatz": [1037, 999, 12500]}),
        ("d;preis", ["01.02.2024;12,5", "02.02.2024;3,25"], {"preis": [12.5, 3.25]}),
        ("a;b", ["10;12", "12,5;1.234,5"], {"a": [10, 12.5], "b": [12, 1234.5]}),
        ("a;b", ["10;12 kg", "20;12,5 kg"], {"b": [12, 12.5]}),
        ("a;b", ["1,037;12.5", "2,100;3.25"], {"a": [1037, 2100], "b": [12.5, 3.25]}),
        ("a;b", ["1,037;0.125", "2,100;0.250"], {"a": [1037, 2100], "b": [0.125, 0.25]}),
    ],
)
def test_points_between_thousands_are_no_decimal_points(tmp_path, header, rows, expected):
    """Each column as it is read, in the first rows."""
    file = table_file(write_table(tmp_path / "t.csv", f"{header};y", [f"{row};{n % 2}" for n, row in enumerate(rows)]))
    columns = columns_of(file.read(), file.decimal == ",").table
    for name, values in expected.items():
        assert columns[name].tolist() == values


def test_a_header_of_more_columns_than_can_be_read(tmp_path):
    names = [f"c{number}" for number in range(100_001)]
    said = "wide.csv has 100,001 columns, but at most 100,000 can be read: leave some out"
    with pytest.raises(InputError, match=said):
        table_file(write_table(tmp_path / "wide.csv", ",".join(names), ["1"])).names()
    assert table_file(write_table(tmp_path / "widest.csv", ",".join(names[1:]), ["1"])).names() == names[1:]


@pytest.mark.parametrize("name", ["UP.CSV", "t.txt", "t.csv.gz"])
def test_names_in_capitals_and_compressed_files(tmp_path, plain, name):
    path = write_table(tmp_path / name, "a,b,y", LINES)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert torch.equal(read_dataset(path, target="y").train.x, plain.train.x)


def test_tabs_and_utf_16_as_spreadsheets_save_them(tmp_path, plain):
    path = write_table(tmp_path / "tabs.csv", "a\tb\ty", [line.replace(",", "\t") for line in LINES], "utf-16")
    found = read(path)
    assert torch.equal(found.train.x, plain.train.x)
    assert "separated by tabs in UTF-16" in found.about


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert "numbers: a, b" in read(write_table(tmp_path / "bom.csv", "a,b,y", LINES, "utf-8-sig")).about


def test_latin_1_is_refused_with_what_to_do(tmp_path):
    path = write_table(tmp_path / "latin.csv", "größe,b,y", LINES, "latin-1")
    with pytest.raises(
        InputError, match=r"latin.csv cannot be read as a table \('utf-8' .*\): save it as CSV in UTF-8$"
    ):
        read(path)
    rows = [*LINES * 100, "1,2,für"]  # beyond what is read first
    with pytest.raises(InputError, match="save it as CSV in UTF-8"):
        read(write_table(tmp_path / "late.csv", "a,b,y", rows, "latin-1"))


def test_a_name_that_occurs_twice_is_refused(tmp_path):
    path = write_table(tmp_path / "dup.csv", "a,y,b,y", [f"{a},{y},{b},{y}" for a, b, y in ROWS])
    with pytest.raises(InputError, match=r"dup.csv: the header has 'y' twice: rename or remove one"):
        read(path)


def test_rows_without_a_target_are_left_out_and_their_line_is_named(tmp_path):
    """Cells of two lines, and blank lines before the header, count."""
    lines = [f'"two\nlines {i % 3}",{a},{y}' for i, (a, b, y) in enumerate(ROWS)]
    lines[10] = '"two\nlines 1",0.5,'
    lines[20] = '"two\nlines 1",0.5,'
    found = read(write_table(tmp_path / "newline.csv", "\n\nnote,a,y", lines))
    assert "rows left out because 'y' is empty: 2, the first in line 24" in found.about
    assert sum(split.rows for split in (found.train, found.validation, found.test)) == 118


def test_a_parquet_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"convert it with pandas.read_parquet\(...\).to_csv\(..., index=False\)"):
        read_dataset(tmp_path / "t.parquet", target="y")


@pytest.mark.parametrize("name", ["x" * 5000, "~nouser/x.csv", "a\0b.csv"])
def test_what_cannot_be_the_name_of_a_file_is_refused(name):
    with pytest.raises(InputError):
        read_dataset(name)


def test_a_target_that_is_written_as_money_is_a_regression(tmp_path):
    rows = [f"{b},{'n/a' if i == 7 else f'${100 * a:.2f}'}" for i, (a, b, _) in enumerate(ROWS)]
    found = read(write_table(tmp_path / "money.csv", "b,y", rows))
    assert found.task == "regression"
    assert "target read as numbers ($)" in found.about
    assert "rows left out because 'y' is empty: 1, the first in line 9, taking 'n/a' for empty" in found.about
