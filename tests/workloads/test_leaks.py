"""Columns that give the target away are named; columns that only help are not."""

from tests.tables import numbers, read, write_table


def named(about):
    return [line for line in about.splitlines() if "predicts" in line]


def test_a_copy_a_sorted_index_and_a_derived_value_are_named(tmp_path):
    pairs = sorted(numbers(rows=400), key=lambda pair: pair[0] > 0)
    rows = [f"{i},{'pn'[a > 0]},{int(a > 0) * 7},{b},{a + 2 * b},{'ab'[a > 0]}" for i, (a, b) in enumerate(pairs)]
    (line,) = named(read(write_table(tmp_path / "leaks.csv", "id,copy,derived,noise,helps,y", rows)).about)
    assert line.startswith(
        "note: each of 'id', 'copy', 'derived' alone predicts 'y' almost perfectly: remove them, unless they "
    )


def test_of_a_regression_a_rescaled_copy_is_named(tmp_path):
    rows = [f"{100 * a + 3},{b},{a + b},{a}" for a, b in numbers(rows=400)]
    (line,) = named(read(write_table(tmp_path / "leaks.csv", "cents,noise,sum,y", rows)).about)
    assert (
        line == "note: 'cents' alone predicts 'y' almost perfectly: remove it, unless it is known before the target is"
    )


def test_a_rare_class_is_not_taken_for_a_leak(tmp_path):
    rows = [f"{a},{b},{'ab'[i % 50 == 0]}" for i, (a, b) in enumerate(numbers(rows=400))]
    assert not named(read(write_table(tmp_path / "rare.csv", "a,b,y", rows)).about)
