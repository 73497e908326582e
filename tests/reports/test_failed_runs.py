"""What is said of runs that failed while something was confirmed."""

from dataclasses import replace

from rich.console import Console

from search_spaces import FAMILIES, space
from study.analysis.family_results import ranking
from study.reports.benchmark_report import benchmark_sections
from study.reports.comparison_verdict import comparison_lines
from study.reports.failed_runs import FailureNotes
from study.reports.verdict import verdict_lines
from study.storage.finals import FailedRun, FinalRun, Finals
from study.storage.study_record import Confirmed
from tests.answers import SEEDS, TRIALS, around, confirmed
from tests.example_studies import RANGES, SETTINGS, ended, study_record

SPACE = space(FAMILIES, (1e-3, 5.0)) | RANGES
REASON = "RuntimeError: disk full (mine.py, line 6). Its last output (output.txt):\nepoch 1\nno space left"


def failing(*places):
    """A study whose runs of these trials with these seeds failed, all others ended."""
    study = confirmed(around(0.28), around(0.31))
    study = replace(study, settings=replace(SETTINGS, space=SPACE))
    runs = [run for run in study.finals.runs if (run.trial, run.seed) not in places]
    failed = tuple(FailedRun(trial, seed, REASON) for trial, seed in places)
    return replace(study, finals=replace(study.finals, runs=tuple(runs), failed=failed))


def test_the_answer_is_of_the_seeds_with_which_neither_schedule_failed():
    lines = verdict_lines(failing((0, 1003), (0, 1004), (1, 1009)))
    assert "over 5 of 8 seeds, 3.0 points" in lines[0]
    said = "trial 0 with seeds 1003, 1004; trial 1 with seed 1009. The last: RuntimeError: disk full (mine.py, line 6)"
    assert [line for line in lines if "ailed" in line] == [
        f"Failed and left out: {said}. The same command trains failed runs again."
    ]
    assert not [line for line in verdict_lines(failing()) if "ailed" in line]


def test_without_two_seeds_that_are_left_there_is_no_answer():
    lines = verdict_lines(failing(*((0, seed) for seed in SEEDS[1:])))
    assert lines[0].startswith("Winner: REX")
    [at] = [place for place, line in enumerate(lines) if line.startswith("Not confirmed: ")]
    assert lines[at] == (
        "Not confirmed: runs failed with all but 1 of 8 fresh seeds, and at least 2 seeds must be left."
    )
    assert lines[at + 1].startswith("Failed and left out: trial 0 with seeds 1004, 1005, ")
    everything = verdict_lines(failing(*((0, seed) for seed in SEEDS)))
    assert any(line.startswith("Not confirmed: runs failed with all 8 fresh seeds, ") for line in everything)


def test_finals_that_are_under_way_only_say_what_failed():
    study = failing((0, 1003))
    left = replace(study, finals=replace(study.finals, runs=study.finals.runs[:-1]))
    assert [line.partition(":")[0] for line in verdict_lines(left) if "ailed" in line] == ["Failed and left out"]


def choosing(*failing, seeds=(1000, 1001, 1002)):
    """What is said of finals with two finalists and two references, in which these runs failed: (trial, seed)."""
    ended = [(trial, seed) for trial in range(4) for seed in seeds if (trial, seed) not in failing]
    finals = Finals(
        (0, 1), (2, 3), seeds, (1003,), runs=tuple(FinalRun(*place, 0.5, None) for place in ended),
        failed=tuple(FailedRun(*place, REASON) for place in failing),
    )  # fmt: skip
    trials = [*TRIALS, *TRIALS]
    study = study_record(trials, settings=replace(SETTINGS, space=SPACE), finals=finals)
    lines = verdict_lines(study)
    assert any(line.startswith("Failed and left out: ") for line in lines)
    return [line for line in lines if line.startswith("Not confirmed: ")]


def test_without_a_winner_it_is_said_that_all_runs_that_choose_it_failed():
    seeds = (1000, 1001, 1002)
    both, of_reference = "the winner and the reference", "the reference"
    assert choosing(*((trial, seed) for trial in (0, 1) for seed in seeds)) == [
        "Not confirmed: all runs that choose the winner failed."
    ]
    for trials, said in [(range(4), both), ((2, 3), of_reference)]:
        assert choosing(*((trial, 1000) for trial in trials), seeds=(1000,)) == [
            f"Not confirmed: all runs that choose {said} failed."
        ]
    assert choosing((3, 1002)) == [], "stopped before a winner was chosen"


def test_of_a_single_seed_it_is_not_said_that_two_must_be_left():
    study = failing((0, 1003))
    finals = replace(study.finals, seeds=(1003,))
    lines = verdict_lines(replace(study, finals=finals))
    assert "Not confirmed: a run failed with the only fresh seed." in lines


def test_runs_of_earlier_finals_are_not_said():
    study = failing((0, 1003))
    elsewhere = replace(study.finals, failed=(FailedRun(0, 999, REASON), FailedRun(1, 999, REASON)))
    assert not [line for line in verdict_lines(replace(study, finals=elsewhere)) if "ailed" in line]


def test_the_first_note_has_the_last_output(capsys):
    notes = FailureNotes(Console(width=200))
    notes.note_left_out(FailedRun(3, 1004, REASON))
    notes.note_left_out(FailedRun(3, 1005, REASON))
    notes.note_left_out(FailedRun(0, 1006, "disk full"), "2/3 rex, 20 epochs")
    first, epoch, space, second, third = capsys.readouterr().out.splitlines()
    assert first == f"note: a run failed, and is left out (trial 3, seed 1004): {REASON.splitlines()[0]}"
    assert (epoch, space) == ("epoch 1", "no space left")
    why = REASON.splitlines()[0].removesuffix(":")
    assert second == f"note: a run failed, and is left out (trial 3, seed 1005): {why}"
    assert third == "note: a run failed, and is left out (2/3 rex, 20 epochs, trial 0, seed 1006): disk full"


def family(name, test, failed=()):
    """The study of one family of a benchmark, with these values by seed, and runs that failed with these seeds."""
    kept = Confirmed(0, tuple(test), tuple(test.values()), tuple(FailedRun(0, seed, REASON) for seed in failed))
    params = {"family": name, "peak_lr": 0.1, "warmup_fraction_is_0": True}
    settings = replace(SETTINGS, families=(name,), space=SPACE)
    return study_record(
        [ended(0.5, 0.3, params=params)], name=f"b-{name}", settings=settings, confirmed=kept, group="b"
    )


def test_families_are_compared_over_the_seeds_that_all_have():
    rex = family("rex", {1: 0.1, 3: 0.2, 4: 0.3}, failed=[2])
    constant = family("constant", {1: 0.2, 2: 0.9, 3: 0.3}, failed=[4])
    under_way = family("step", {1: 0.05, 2: 0.05})
    best, other = ranking([rex, constant, under_way])
    assert (best.name, best.n, best.mean.mean) == ("rex", 2, 0.15000000000000002)
    assert (other.name, other.mean.mean, other.to_best.mean) == ("constant", 0.25, 0.1)
    said = (
        "Failed and left out: rex with seed 2; constant with seed 4. The last: RuntimeError: disk full (mine.py, line"
    )
    assert [line for line in comparison_lines([rex, constant]) if said in line]
    report = benchmark_sections([rex, constant])[0].body.replace("\\", "")
    assert f"Runs of 20 epochs: {said}" in report


def test_families_that_are_missing_from_a_comparison_are_named():
    rex, cosine = family("rex", {1: 0.1, 2: 0.2}), family("cosine", {1: 0.2, 2: 0.2})
    linear, step = replace(family("linear", {}), confirmed=None), family("step", {1: 0.1, 2: 0.1, 3: 0.1})
    said = "Not confirmed: linear.", "Confirmed with other seeds, and not compared: step."
    assert comparison_lines([rex, cosine, linear, step])[1:3] == [f"  {line}" for line in said]
    report = benchmark_sections([rex, cosine, linear, step])[0].body
    assert all(f"Runs of 20 epochs: {line}" in report for line in said)
    assert "Not confirmed" not in "".join(comparison_lines([rex, cosine]))
    assert comparison_lines([linear])[0] == "Best at 20 epochs: unknown, no winner is confirmed yet."


def test_families_are_not_compared_over_a_single_seed_that_is_left():
    rex, linear = family("rex", {1: 0.1, 3: 0.2}, failed=[2]), family("linear", {2: 0.1, 3: 0.1}, failed=[1])
    assert ranking([rex, linear]) == []
    first, failed, *_ = comparison_lines([rex, linear])
    assert first == "Best at 20 epochs: unknown, too few fresh seeds are left."
    assert failed.startswith("  Failed and left out: rex with seed 2; linear with seed 1. The last: ")
    report = benchmark_sections([rex, linear])[0].body
    assert "**20 epochs**: unknown, too few fresh seeds are left." in report
    assert "Runs of 20 epochs: Failed and left out: rex with seed 2" in report
    assert [one.n for one in ranking([family("rex", {1: 0.1}), family("linear", {1: 0.2})])] == [1, 1], "as asked"
