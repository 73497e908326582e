"""The leader of each family: furthest first, then best."""

from study.analysis.leaders import leaders, trial_of
from tests.example_studies import row, study_of


def found(rows, **settings):
    study = study_of(rows, **settings)
    return [(trial_of(study, one).number, one.family, one.epochs, one.value) for one in leaders(study)]


ROWS = [
    row("step", 0.1, 0.2),
    row("wsd", 0.1, 0.9, full=0.5),
    row("rex", 0.1, 0.9, full=0.4),
    row("rex", 0.1, 0.1),
    row("step", 0.1, 0.15),
    row("cosine", 0.1, 0.1, diverged=True),
    row("linear", 0.1, 0.15),
]


def test_a_longer_run_leads_and_among_equals_the_better_one():
    assert found(ROWS) == [(2, "rex", 20, 0.4), (1, "wsd", 20, 0.5), (4, "step", 2, 0.15), (6, "linear", 2, 0.15)]
    assert [one[0] for one in found(ROWS, direction="maximize")] == [1, 2, 0, 6]


def test_the_winner_leads():
    study = study_of(ROWS)
    assert trial_of(study, leaders(study)[0]) == study.best


def test_trials_under_way_may_lead():
    """An unfinished wsd that has come as far as the winner, and is better; a diverged one counts as tried."""
    found = leaders(study_of(ROWS), [("wsd", {2: 0.9, 20: 0.3}), ("wsd", {})])
    assert found[0] == ("wsd", 3, 20, 0.3)
    assert [one.family for one in found] == ["wsd", "rex", "step", "linear"]


def test_no_trial_no_leader():
    assert leaders(study_of([])) == []
