"""Numbers as people write them, and text that must not be taken for numbers."""

import pytest

from study.workloads.number_cells import number_cells


@pytest.mark.parametrize(
    ("cells", "numbers", "form"),
    [
        (["512,345", "7", "1,000,000.5"], [512345, 7, 1000000.5], "thousands separated by ,"),
        (["52.31%", "-3 %"], [52.31, -3], "%"),
        (["$1,200", "$7.5", "-$3", "($20)"], [1200, 7.5, -3, -20], "$, thousands separated by ,"),
        (["5 €", "0,5 €"], [5, 0.5], "€, decimal commas"),
        (["1.234,5", "0,25"], [1234.5, 0.25], "decimal commas"),
        (["12 kg", "3.5 kg"], [12, 3.5], "kg"),
        (["70 m²", "8 m²"], [70, 8], "m²"),
        (["1 234 567", "12"], [1234567, 12], "thousands separated by spaces"),
        (["EUR 5", "EUR 6"], [5, 6], "EUR"),
        (["\u22125", "1e-3"], [-5, 0.001], ""),
    ],
)
def test_numbers_with_what_stands_around_them(cells, numbers, form):
    found = number_cells(dict.fromkeys(cells, 1))
    assert ([found.values[cell] for cell in cells], found.form) == (pytest.approx(numbers), form)
    assert not found.unread


@pytest.mark.parametrize(
    "cells",
    [
        ["code001", "code002"],
        ["A7", "B8"],
        ["007", "123"],
        ["12a", "13b"],
        ["1,2,3", "4,5"],
        ["5 kg", "5 g"],
        ["192.168.0.1", "10.0.0.1"],
        ["2024-01-01", "2024-01-02"],
        ["0x1F", "0x2A"],
        ["-", "?"],
        ["(5", "6)"],
    ],
)
def test_what_is_not_a_number(cells):
    assert number_cells(dict.fromkeys(cells, 1)) is None


def test_placeholders_are_not_counted_but_other_text_is():
    assert number_cells({"1": 1, "n/a": 50, "NULL": 3}).placeholders == {"n/a": 50, "NULL": 3}
    assert number_cells({"1": 99, "many": 1}).odd == {"many": 1}
    assert number_cells({"1": 90, "many": 10}) is None


def test_1_234_is_read_as_the_file_separates():
    assert number_cells({"1,234": 1}).values == {"1,234": 1234}
    assert number_cells({"1,234": 1}, decimal_commas=True).values == {"1,234": 1.234}
    assert number_cells({"1,234": 1, "1,5": 1}).values == {"1,234": 1.234, "1,5": 1.5}, "the other cell decides"
