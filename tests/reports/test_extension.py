"""A longer run in words."""

from dataclasses import replace

from study.analysis.extension import Extension
from study.reports.extension import longer_answer, longer_rows, none_ended_well
from study.storage.finals import FinalRun
from tests.answers import around, confirmed

STUDY = confirmed(around(0.28), around(0.31))
EXTENSION = Extension.of(STUDY, 200, 1)
BEST = FinalRun(0, 1000, 0.25, 0.26)


def answer(tried=1, confirming=(), best=BEST):
    return longer_answer(STUDY, EXTENSION, best, tried, confirming)


def test_the_value_is_of_one_run_or_a_mean_with_its_interval():
    use = "Use REX, peak_lr 0.27, no warm-up for 200 epochs:"
    assert answer() == f"{use} test error 26.0 % in one run with a fresh seed."
    again = [FinalRun(0, seed, 0.2, value) for seed, value in enumerate((0.24, 0.26, 0.28))]
    assert (
        answer(3, again) == f"{use} test error 26.0 % [21.0, 31.0] over 3 seeds; the best of 3 schedules on validation."
    )
    without_test = [run._replace(test=None) for run in again]
    assert answer(1, without_test) == f"{use} validation error 20.0 % [20.0, 20.0] over 3 seeds."


def test_a_longer_run_that_is_worse_than_all_shorter_ones_is_not_recommended():
    """Its eight runs of 20 epochs have a mean of 28.0 %, and reach 28.6 %."""
    failed = BEST._replace(validation=0.2861)
    assert answer(best=failed) == (
        "REX, peak_lr 0.27, no warm-up in 200 epochs: test error 26.0 % in one run with a fresh seed. On validation "
        "that is worse than each of its 8 runs of 20 epochs, so no schedule is recommended: use --runs 3, or search at "
        "that length."
    )
    assert answer(best=BEST._replace(validation=0.2859)).startswith("Use REX"), "which may be chance"
    unconfirmed = replace(STUDY, finals=None)
    assert longer_answer(unconfirmed, EXTENSION, failed, 1, []).startswith("Use REX"), "nothing to compare with"
    upwards = replace(STUDY, metric=replace(STUDY.metric, direction="maximize"))
    assert longer_answer(upwards, EXTENSION, failed, 1, []).startswith("Use REX")
    assert not longer_answer(upwards, EXTENSION, BEST, 1, []).startswith("Use REX")


def test_a_run_that_diverged_counts_with_the_worst_value_and_is_said():
    lost = FinalRun(0, 1005, 1.0, None)
    again = [FinalRun(0, 1003, 0.2, 0.2), FinalRun(0, 1004, 0.2, 0.2), lost]
    assert "test error 46.7 % [-68.1, 161.4] over 3 seeds, 1 of which diverged." in answer(1, again)
    [row] = longer_rows(STUDY, [lost])
    assert row == ["0", "REX", "0.27", "diverged", "-"]
    assert none_ended_well(STUDY, EXTENSION, []) == (
        "the run of 200 epochs diverged, so no schedule is recommended: use --runs 3, or search at that length"
    )
    three = replace(EXTENSION, trials=EXTENSION.trials * 3)
    assert none_ended_well(STUDY, three, []).startswith(
        "all 3 runs of 200 epochs diverged, so no schedule is recommended: search at"
    )
