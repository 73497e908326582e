"""The verdict in words, for studies in any state."""

from dataclasses import replace

import pytest

from search_spaces import FAMILIES, REX, Cosine, Cyclic, OneCycle, Plateau, space
from study.analysis.verdict import Verdict
from study.reports.schedule_words import schedule_in_words
from study.reports.verdict import verdict_lines, winner_lines
from tests.example_studies import RANGES, SETTINGS, TRIAL, draws, ended, study_record


def run_of(family, peak_lr, value, full=None):
    """A trial of a family without parameters of its own, or of a cosine, without a warm-up."""
    own = {"cosine.t_max_fraction_is_1": True, "cosine.floor_ratio_is_0": True} if family == "cosine" else {}
    return ended(value, full, params={"family": family, "peak_lr": peak_lr, "warmup_fraction_is_0": True} | own)


SPACE = space(FAMILIES, (1e-3, 5.0)) | RANGES


def verdict_of(trials, **others):
    """The lines on a study of these trials."""
    study = study_record(trials, settings=replace(SETTINGS, space=SPACE))
    return "\n".join(verdict_lines(replace(study, **others)))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (
            REX(peak_lr=0.26894, warmup_fraction=0.006775),
            "REX, peak_lr 0.269, warm-up over the first 0.68 % of the steps",
        ),
        (REX(peak_lr=1.0), "REX, peak_lr 1, no warm-up"),
        (Cosine(peak_lr=0.1), "cosine, peak_lr 0.1, t_max_fraction 1, floor_ratio 0, no warm-up"),
        (Plateau(peak_lr=0.1, factor=1 / 3), "plateau, peak_lr 0.1, factor 0.333, patience_fraction 0.1, no warm-up"),
        (
            Cyclic(peak_lr=0.1),
            "cyclic, peak_lr 0.1, cycles 4, base_ratio 0.1, mode triangular, cycle_momentum off",
        ),
        (
            OneCycle(peak_lr=0.1),
            "one cycle, peak_lr 0.1, pct_start 0.25, div_factor 25, end_ratio 0.0001, anneal_strategy cos, "
            "cycle_momentum on",
        ),
    ],
    ids=lambda value: value.family if not isinstance(value, str) else "",
)
def test_a_schedule_is_put_in_words(schedule, words):
    assert schedule_in_words(schedule) == words


@pytest.mark.parametrize("family", FAMILIES.values())
def test_every_family_has_words(family):
    words = schedule_in_words(family(peak_lr=0.1))
    assert all(name in words for name in family.space if name != "end_amplitude")
    assert "is_0" not in words


def test_the_winner_and_what_is_tied_with_it():
    """Of 800 rows 232 and 240 wrong do not differ, 400 do."""
    trials = [run_of("rex", 0.1, 0.5, 0.29), run_of("cosine", 0.1, 0.5, 0.3), run_of("rex", 2.0, 0.6, 0.5)]
    said = verdict_of(trials)
    assert said.startswith(
        "Winner: REX, peak_lr 0.1, no warm-up\nTrial 0: validation error 29.0 % after 20 epochs (optimistic: "
    )
    assert "Statistically tied with it: trial 1 cosine 30.0 % (1 of the other 2 full runs)." in said
    assert "may rank tied schedules differently" in said
    assert "Cost: 3 trials, 66 epochs = 3.3 full runs (10 % more than without short runs), 4 s of training" in said


def test_the_best_single_run_does_not_claim_more_than_the_search_space():
    """The reference, which may lie outside, may have the better run."""
    trials = [run_of("rex", 0.1, 0.5, 0.29), replace(run_of("cosine", 0.1, 0.5, 0.2), outside=True)]
    for known, said in ((trials[:1], "Best single run: trial 0 rex, "), (trials, "Best single run within the search ")):
        study = study_record(known, settings=replace(SETTINGS, space=SPACE))
        assert winner_lines(study, Verdict.of(study), confirmed=True)[0].startswith(said)


def test_without_ties_no_other_family_may_come_first():
    said = verdict_of([run_of("rex", 0.1, 0.5, full=0.29), run_of("cosine", 0.1, 0.5, full=0.5)])
    assert "Ties: none; the only other full run is significantly worse on validation." in said
    assert "may rank tied" not in said


def test_many_ties_are_counted():
    said = verdict_of([run_of("rex", 0.1, 0.5, full=0.0)] * 50)
    assert "trial 1 rex 0.00 %, trial 2 rex 0.00 %, trial 3 rex 0.00 % and 46 more" in said


def test_one_run_each_is_inconclusive():
    trials = [run_of("rex", 0.1, 0.5, full=0.29), run_of("cosine", 0.1, 0.5, full=0.29)]
    said = verdict_of(trials, validation_rows=None)
    assert (
        "Ties: inconclusive, one run each; the only other full run may be as good. Equal: trial 1 cosine 29.0 %."
        in said
    )


def test_a_single_full_run_is_compared_with_nothing():
    assert "No other trial finished a full run" in verdict_of([run_of("rex", 0.1, 0.5, full=0.29), ended(0.6)])


def test_a_search_that_was_random_so_far_says_so():
    said = [verdict_of([run_of("rex", 0.1, 0.5, 0.3)] * n) for n in (20, 21)]
    assert ["Random so far: the gp sampler starts after 20 start-up trials." in one for one in said] == [True, False]


def test_importance_and_edges_have_a_line_each():
    trials = [ended(params["peak_lr"], params=params) for params in draws(40)]
    trials[0] = run_of("rex", 0.1, 0.1, full=0.1)  # the winner, which alone is put in words
    line = next(line for line in verdict_of(trials).splitlines() if line.startswith("Parameter importance: peak_lr "))
    assert line.endswith(" (40 2-epoch runs)")
    few = verdict_of(trials[:19])
    assert "Parameter importance needs at least 20 comparable runs; this study has 19." in few
    crowded = verdict_of([ended(0.3, 0.4, params=run_of("rex", 4.9, 0.3).params)] * 5)
    assert "At the edge of the search range: peak_lr (upper end, 5); consider widening it." in crowded


@pytest.mark.parametrize("trials", [[], [ended(0.5)], [replace(TRIAL, complete=False, reported={})] * 30])
def test_a_study_without_a_winner_says_so(trials):
    assert verdict_lines(study_record(trials, settings=SETTINGS))[0].startswith("No winner yet: ")
