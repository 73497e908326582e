"""What the finals are worth, and a longer run: pages made of the committed rows, and rows of small searches."""

import json
import shlex
import shutil
from dataclasses import replace
from statistics import mean

import pytest

from search_spaces import InputError
from study.evidence.answers import AnsweredSearch, answered_search, answers_page
from study.evidence.extensions import WAYS, ExtendedSearch, extended_search, extensions_page
from study.evidence.rows_by_seed import read_rows_of, write_rows_of
from tests.helpers import DIGITS, ROOT, SMALL

RESULTS = ROOT / "results/search"


def test_the_committed_page_is_made_of_the_rows_beside_it():
    answers = read_rows_of(RESULTS / "answers.csv", AnsweredSearch)
    assert answers_page(answers, "mnist1d-mlp-sgd, 20 epochs") == (RESULTS / "answers.md").read_text()
    assert len(answers) == 20
    optimism = mean(row.best_validation - row.found for row in answers)
    assert f"{100 * optimism:+.2f} [" in answers_page(answers, "")


@pytest.mark.parametrize("name", sorted(path.stem for path in RESULTS.glob("extensions*.csv")))
def test_the_committed_pages_of_longer_runs_are_made_by_their_commands(name, command, data_root, tmp_path):
    words = shlex.split(json.loads((RESULTS / f"{name}.json").read_text())["made"]["command"])[2:]
    shutil.copy(RESULTS / f"{name}.csv", tmp_path)
    result = command(
        "evidence/benchmark_extension.py", *words, "--rebuild", "--data-root", data_root, "--output", tmp_path
    )
    assert result.code == 0, result.err
    assert (tmp_path / f"{name}.md").read_text() == (RESULTS / f"{name}.md").read_text()


def test_a_search_that_is_answered(data_root):
    search = replace(SMALL, families=("cosine", "rex"), trials_per_bracket=12)
    row = answered_search(DIGITS, search, 12, 3, data_root)
    assert row == answered_search(DIGITS, search, 12, 3, data_root)
    assert row.search_seed == 3
    assert row.longer_trials >= 12
    assert row.found <= row.best_validation + 0.1
    for error in (row.best_test, row.winner_test, row.longer_test, row.reference_test):
        assert 0 < error < 0.9


def test_a_search_that_is_extended(data_root):
    search = replace(SMALL, epochs=2, families=("cosine", "rex"), trials_per_bracket=12)
    row = extended_search(DIGITS, search, 4, 12, 2, 0, data_root)
    assert row.finals >= 11 / 2, "three schedules with three seeds, and one with eight, at half the length"
    for way in (*WAYS, "searched"):
        assert 0 < getattr(row, way) < 0.9
    assert row.held != row.kept, "trained with another weight decay"
    assert f"| {100 * (row.kept - row.searched):+.2f} [" in extensions_page([row, row], "", 2)


def test_copies_of_one_schedule_have_no_interval():
    """Nine copies and one other would have an interval of almost no width, as if ten searches had agreed."""
    first = ExtendedSearch(0, *[0.3] * 3, 0.28, *[0.3] * 3, 9.0, 6.0, 18.0)
    others = [replace(first, search_seed=seed, kept=0.3 + seed / 100) for seed in range(1, 10)]
    copies = [replace(first, search_seed=seed) for seed in range(1, 10)]
    assert "weight decay: -2.10 points, above 0 is worse; the same schedule in 9 of 10.\n" in extensions_page(
        [*copies, replace(first, kept=0.31)], "", 4
    )
    assert "weight decay: -6.50 [-8.67, -4.33] points, above 0 is worse.\n" in extensions_page([first, *others], "", 4)
    assert "; the same schedule in" not in extensions_page([*copies[:5], *others[:5]], "", 4)


def test_rows_are_read_as_they_were_written(tmp_path):
    rows = [AnsweredSearch(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 12.5, 9, 70)]
    write_rows_of(tmp_path / "rows.csv", rows)
    assert read_rows_of(tmp_path / "rows.csv", AnsweredSearch) == rows
    with pytest.raises(InputError, match="does not exist: remove --rebuild"):
        read_rows_of(tmp_path / "none.csv", AnsweredSearch)
