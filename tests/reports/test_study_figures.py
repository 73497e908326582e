"""The figures that are drawn from a study's trials: what of them is shown."""

from dataclasses import replace

import optuna
import pytest

from search_spaces import FAMILIES, Plateau, Step
from study.reports.figures import draw_winners
from study.reports.study_figures import curve_of, measure_of, peak_sensitivity, search_progress
from study.storage.study_record import StudyRecord
from study.storage.trial_record import Curve
from tests.example_studies import ERROR, NAMES, TRIAL, row, study_of, study_record
from tests.helpers import LOCKSTEP, SMALL, run_search
from tests.svg import dots, texts


def test_every_trial_that_can_be_compared_is_a_dot():
    rows = [row("rex", 0.1, 0.5), row("rex", 0.2, 0.4, 0.3), row("rex", 4.0, 1.0, diverged=True), row("wsd", 0.3, 0.2)]
    svg = peak_sensitivity([study_of(rows, tried=["step", "rex", "wsd"])])
    assert dots(svg, "trials") == {"trials-0": 1, "trials-1": 2}, "wsd, then rex"
    written = texts(svg)
    assert [name for name in written if name in FAMILIES] == ["wsd", "rex", "step"]
    assert {"0.3", "0.2", "no trials", "a trial, after 2 epochs"} <= set(written)


def test_a_study_for_each_family_makes_one_picture():
    studies = [study_of([row(name, 0.1, 0.5)] * (place + 1), tried=[name]) for place, name in enumerate(NAMES[:4])]
    assert sorted(dots(peak_sensitivity(studies), "trials").values()) == [1, 2, 3, 4]


def test_the_higher_value_is_the_better_one_where_the_study_says_so():
    rows = [row("rex", 0.1, 0.5), row("rex", 0.7, 0.9), row("wsd", 0.3, 0.6)]
    written = texts(peak_sensitivity([study_of(rows, direction="maximize")]))
    assert [name for name in written if name in FAMILIES] == ["rex", "wsd"]
    assert "0.7" in written


def test_progress_shows_the_full_runs_of_a_single_study():
    rows = [row("rex", 0.1, 0.5), row("rex", 0.1, 0.5, 0.4), row("wsd", 0.1, 0.5, 0.6), row("wsd", 0.1, 0.2)]
    assert dots(search_progress({"a": study_of(rows)}), "full-runs") == {"full-runs": 2}
    several = search_progress({"a": study_of(rows), "b": study_of(rows[:2]), "c": study_of(rows[:1])})
    assert dots(several, "full-runs") == {}
    assert dots(several, "progress") == {"progress-0": 1, "progress-1": 1}
    assert {"a", "b", "1 of 3 studies: no full run"} <= set(texts(several))


def test_a_search_can_be_drawn(storage, workload):
    names = ("plateau", "cosine")
    run_search(storage, workload, 10, replace(SMALL, families=names), engine=LOCKSTEP)
    study = StudyRecord.of(optuna.load_study(study_name="small", storage=storage))
    comparable = [trial for trial in study.trials if not trial.diverged]
    assert measure_of(study) == ERROR
    assert sum(dots(peak_sensitivity([study]), "trials").values()) == len(comparable)
    assert dots(search_progress({"small": study}), "full-runs") == {"full-runs": len(study.complete)}
    drawn = [curve_of(study, trial, f"trial {trial.number}") for trial in study.complete]
    assert f"trial {study.complete[0].number}" in texts(draw_winners(drawn, ERROR))


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
    assert (curve.label, curve.steps, curve.values) == (schedule.family, steps, losses)
