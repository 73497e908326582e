"""The tables that the terminal shows on demand, of studies in any state."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from search_spaces.errors import InputError
from study.analysis.importance import importance
from study.analysis.peak_lr import peak_spans
from study.reports.table_names import check_tables
from study.reports.terminal import TABLES
from study.reports.verdict import no_winner
from tests.example_studies import TRIAL, draws, ended, ranged, row
from tests.helpers import open_small, run_search


def printed(study, *names, width=80):
    written = io.StringIO()
    console = Console(file=written, highlight=False, markup=False, soft_wrap=True, width=width)
    for name in names or TABLES:
        console.print(TABLES[name](study))
    return written.getvalue()


def test_too_few_or_equal_trials_say_so():
    equal = printed(ranged(ended(0.5, params=params) for params in draws(40)), "importance")
    assert equal == "Parameter importance: unknown, all 40 comparable runs have the same value.\n"
    few = printed(ranged(ended(params["peak_lr"], params=params) for params in draws(19)), "importance")
    assert few == "Parameter importance needs at least 20 comparable runs; this study has 19.\n"


def test_spans_and_edges_are_shown():
    tried = [("cosine", 0.5, 0.3), ("cosine", 0.4, 0.1), ("cosine", 0.6, 0.35), ("cosine", 0.9, 4.0)]
    said = printed(ranged(row(family, peak, value) for family, value, peak in tried), "peaks")
    line = next(line for line in said.splitlines() if "cosine" in line)
    assert line.replace("│", " ").split() == ["cosine", "4", "0.1", "0.1", "0.3", "3.0", "40"]
    crowded = printed(ranged([ended(0.3, 0.4, params={"family": "rex", "peak_lr": 4.9})] * 5), "edges")
    assert "At the edge of the search range:\npeak_lr: 5 of" in crowded


ODD = {
    "empty": [],
    "one": [ended(0.5, 0.4)],
    "all pruned": [ended(0.5, params=params) for params in draws(8)],
    "all diverged": [ended(1.0, params=params, diverged=True) for params in draws(30)],
    "nothing reported": [replace(TRIAL, complete=False, reported={})] * 30,
    "not a number": [ended(float("inf"), params=params) for params in draws(30)],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
@pytest.mark.parametrize("budgets", [(2, 20), (20,)])
def test_studies_in_odd_states_have_tables(rows, budgets):
    study = ranged(rows, budgets=budgets)
    said = printed(study)
    compared = sum(epochs == budgets[0] and value < 1 for trial in rows for epochs, value in trial.reported.items())
    assert f"this study has {compared}." in said
    assert ("families with at least 4 comparable runs" in said) == (not peak_spans(study))
    assert "Audit: nothing was audited" in said


def test_the_tables_of_a_real_search_fit_the_terminal(storage, workload):
    run_search(storage, workload, 30)
    with open_small(storage, workload) as opened:
        study = opened.record
    said = printed(study, "families", "importance", "peaks")
    assert f"Parameter importance ({importance(study)[1]} trials, 1-epoch runs)" in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_audit_has_a_table():
    audited = ranged([row("rex", 0.1, 0.3, full=0.2), replace(TRIAL, audited_from=2)])
    assert TABLES["audit"](audited).row_count == 2


def test_a_table_that_does_not_exist_is_refused():
    check_tables(list(TABLES))
    with pytest.raises(InputError, match="unknown table 'peak': did you mean 'peaks'\\? Valid: families, importance"):
        check_tables(["families", "peak"])


def test_why_there_is_no_winner():
    trials = [row("rex", peak, 1.0, diverged=True) for peak in (0.3, 0.125, 0.5)]
    assert no_winner(ranged(trials)).startswith("No winner: all 3 trials diverged, with a peak_lr of 0.125 or more. ")
    assert no_winner(ranged(trials[:1])).startswith(
        "No winner: the only trial diverged, with a peak_lr of 0.3 or more. "
    )
    for some in ([], [row("rex", 0.1, 0.5)], [*trials, row("rex", 0.1, 0.5)]):
        assert no_winner(ranged(some)) == "No winner yet: no trial has finished a full run."
