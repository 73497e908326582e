"""The leader of each family: furthest first, then best."""

from study.analysis.leaders import leaders
from tests.example_studies import row, study_of


def found(rows, **settings):
    return [(one.trial.number, one.trial.family, one.epochs, one.value) for one in leaders(study_of(rows, **settings))]


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
    assert leaders(study_of(ROWS))[0].trial == study_of(ROWS).best


def test_no_trial_no_leader():
    assert leaders(study_of([])) == []
