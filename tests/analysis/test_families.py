"""What became of the trials of each family."""

from study.analysis.families import family_outcomes
from tests.example_studies import row, study_of


def test_each_trial_is_counted_once_and_a_family_without_a_leader_comes_last():
    rows = [
        row("cosine", 0.1, 0.1, diverged=True),
        row("rex", 0.1, 0.9, full=0.4),
        row("rex", 0.1, 0.1),
        row("step", 0.1, 0.2),
        row("rex", 0.1, 0.1, diverged=True),
    ]
    found = [
        (one.family, one.trials, one.full_runs, one.pruned, one.diverged) for one in family_outcomes(study_of(rows))
    ]
    assert found == [("rex", 3, 1, 1, 1), ("step", 1, 0, 1, 0), ("cosine", 1, 0, 0, 1)]
