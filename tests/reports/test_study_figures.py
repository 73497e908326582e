"""The figures that are drawn from a study's trials: what of them is shown."""

from dataclasses import replace

import optuna
import pytest

from search_spaces import FAMILIES, Plateau, Step
from study.reports.figures import draw_winners
from study.reports.measure import validation_measure
from study.reports.study_figures import curve_of, peak_sensitivity, peaks_of, search_progress
from study.storage.study_record import StudyRecord
from study.storage.trial_record import Curve
from tests.example_studies import ERROR, NAMES, TRIAL, row, study_of, study_record
from tests.helpers import LOCKSTEP, SMALL, run_search
from tests.svg import dots, texts


def test_every_trial_that_can_be_compared_is_a_dot():
    rows = [row("rex", 0.1 * i, 0.5 - 0.01 * i) for i in (1, 2, 3)] + [row("rex", 4.0, 1.0, diverged=True)]
    rows += [row("wsd", 0.3, 0.2 + 0.01 * i) for i in range(4)] + [row("step", 0.3, 0.1)] * 2
    svg = peak_sensitivity([study_of(rows, tried=["step", "rex", "wsd"])])
    assert dots(svg, "trials") == {"trials-0": 4, "trials-1": 3}, "wsd, then rex"
    written = texts(svg)
    assert [name for name in written if name in FAMILIES] == ["wsd", "rex"], "step has two dots"
    assert {"0.3", "a trial, after 2 epochs", "val_error (%)"} <= set(written)


def test_families_with_few_dots_are_left_out():
    assert peaks_of([study_of([])]) == {}
    assert peaks_of([study_of([row("rex", 0.1, 0.5)] * 2 + [row("rex", 3.0, 1.0, diverged=True)])]) == {}
    assert list(peaks_of([study_of([row("rex", 0.1, 0.5)] * 3)])) == ["rex"]


def test_a_study_for_each_family_makes_one_picture_in_the_order_given():
    studies = [study_of([row(name, 0.1, 0.5)] * (place + 3), tried=[name]) for place, name in enumerate(NAMES[:4])]
    svg = peak_sensitivity(studies[::-1])
    assert list(dots(svg, "trials").values()) == [6, 5, 4, 3]
    assert [text for text in texts(svg) if text in NAMES] == NAMES[3::-1]


def test_the_higher_value_is_the_better_one_if_the_study_maximizes():
    rows = [row("rex", 0.1, 0.5)] * 2 + [row("rex", 0.7, 0.9)] + [row("wsd", 0.3, 0.6)] * 3
    written = texts(peak_sensitivity([study_of(rows, direction="maximize")]))
    assert [name for name in written if name in FAMILIES] == ["rex", "wsd"]
    assert "0.7" in written


def test_progress_shows_every_full_run():
    rows = [row("rex", 0.1, 0.5), row("rex", 0.1, 0.5, 0.4), row("wsd", 0.1, 0.5, 0.6), row("wsd", 0.1, 0.2)]
    svg = search_progress(study_of(rows))
    assert (dots(svg, "full-runs"), dots(svg, "progress")) == ({"full-runs": 2}, {"progress": 1})


def test_a_search_can_be_drawn(storage, workload):
    names = ("plateau", "cosine")
    run_search(storage, workload, 10, replace(SMALL, families=names), engine=LOCKSTEP)
    study = StudyRecord.of(optuna.load_study(study_name="small", storage=storage))
    comparable = [trial for trial in study.trials if not trial.diverged]
    assert validation_measure(study) == ERROR
    assert sum(dots(peak_sensitivity([study]), "trials").values()) == len(comparable)
    assert dots(search_progress(study), "full-runs") == {"full-runs": len(study.complete)}
    assert study.best.family in texts(draw_winners([curve_of(study, study.best)], ERROR))


@pytest.mark.parametrize("schedule", [Plateau, Step])
def test_a_curve_has_the_lr_of_every_step(schedule):
    """Of plateau as a replay of the losses that it observed finds it."""
    losses = (1.0, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6) * 2
    params = {"family": schedule.family, "peak_lr": 0.1, "warmup_fraction_is_0": False, "warmup_fraction": 0.13}
    own = (
        {"factor": 0.3, "patience_fraction": 0.1} if schedule is Plateau else {"step_size_fraction": 0.3, "gamma": 0.3}
    )
    truth = [lr for lr, _ in schedule(peak_lr=0.1, warmup_fraction=0.13, **own).simulate(100, losses)]
    steps = tuple(range(5, 101, 5))
    kept = Curve("error", steps, losses, losses, tuple(truth[step - 1] for step in steps), (None,) * 20)
    params |= {f"{schedule.family}.{name}": value for name, value in own.items()}
    curve = curve_of(study_record(steps_per_epoch=5), replace(TRIAL, params=params, curve=kept))
    assert curve.lr == pytest.approx(truth)
    assert len(set(truth)) > 15, "a warm-up of 13 steps, and drops"
    assert (curve.family, curve.steps, curve.values) == (schedule.family, steps, losses)
