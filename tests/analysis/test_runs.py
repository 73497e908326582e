"""Runs in the order in which a bracket trains them."""

from dataclasses import replace

from study.analysis.runs import runs_as_trained
from tests.example_studies import ended, row, study_record


def test_all_short_runs_of_a_bracket_come_first_and_audited_ones_last():
    trials = [
        ended(0.6, 0.3),
        ended(0.7),
        ended(0.8, 0.2, audited_from=2),
        ended(0.5, 0.4),
    ]
    found = [(run.trial.number, run.budget, run.value, run.spent) for run in runs_as_trained(study_record(trials))]
    assert found == [
        (0, 2, 0.6, 2),
        (1, 2, 0.7, 4),
        (2, 2, 0.8, 6),
        (3, 2, 0.5, 8),
        (0, 20, 0.3, 28),
        (3, 20, 0.4, 48),
        (2, 20, 0.2, 68),
    ]


def test_brackets_follow_each_other():
    study = study_record([ended(0.6, 0.3), ended(0.5, 0.4)])
    first, second = study.trials
    later = replace(second, place=replace(second.place, bracket=1))
    runs = runs_as_trained(replace(study, trials=(first, later)))
    assert [(run.trial.number, run.budget) for run in runs] == [(0, 2), (0, 20), (1, 2), (1, 20)]


def test_what_diverged_or_was_pruned_midway_counts_its_epochs_only():
    diverged = row("rex", 0.1, 1.0, diverged=True)
    midway = replace(ended(0.7), epochs_used={20: 5.0}, reported={1: 0.9, 5: 0.7})
    runs = runs_as_trained(study_record([diverged, midway, ended(0.6, 0.3)]))
    assert [(run.trial.number, run.budget, run.spent) for run in runs] == [(2, 2, 4), (2, 20, 29)]


def test_a_run_that_diverged_after_a_good_short_one():
    trial = replace(ended(0.6, 1.0), complete=False, diverged=True, epochs_used={2: 2.0, 20: 3.0})
    assert [(run.budget, run.spent) for run in runs_as_trained(study_record([trial]))] == [(2, 2)]
