"""The figure of a search's answer: who is in it, and what stands beside each curve."""

from dataclasses import replace

from study.reports.plot_style import family_color
from study.reports.winner_figure import shown_schedules, winner_figure
from tests.answers import around, confirmed
from tests.example_studies import SETTINGS, TRIAL, study_record
from tests.svg import texts


def trial(number, family, *values):
    """A trial with these values after 2, 10 and 20 epochs, as far as it came."""
    reported = dict(zip((2, 10, 20), values, strict=False))
    own = {"plateau": {"plateau.factor": 0.5, "plateau.patience_fraction": 0.1}}.get(family, {})
    params = {"family": family, "peak_lr": 0.1, "warmup_fraction_is_0": True, **own}
    complete = len(values) == 3
    return replace(TRIAL, number=number, params=params, reported=reported, value=values[-1], complete=complete)


TRIALS = [
    trial(0, "rex", 0.5, 0.4, 0.3),
    trial(1, "constant", 0.55),
    trial(2, "plateau", 0.4, 0.35),
    trial(3, "inverse_sqrt", 0.6),
    trial(4, "rex", 0.5, 0.4, 0.31),
]
STUDY = study_record(TRIALS, settings=replace(SETTINGS, budgets=(2, 10, 20)))


def test_the_winner_leads_and_the_control_comes_last():
    """Without plateau: no curve was kept of it, so its learning rate is not known."""
    trials = [replace(one, params=one.params | {"inverse_sqrt.timescale_fraction": 0.1}) for one in TRIALS]
    shown = shown_schedules(replace(STUDY, trials=tuple(trials)))
    assert [trial.family for trial, _ in shown] == ["rex", "inverse_sqrt", "constant"]


def test_an_answer_is_shown_beside_what_it_was_compared_with():
    study = confirmed(around(0.28), around(0.31))
    svg = texts(winner_figure(study))
    assert {"rex: test 28.0 % over 8 seeds", "cosine (reference): test 31.0 % over 8 seeds"} <= set(svg)
    tied = [label for _, label in shown_schedules(confirmed(around(0.31), around(0.28)))]
    assert tied == ["cosine (reference): test 28.0 % over 8 seeds", "rex: test 31.0 % over 8 seeds"]


def test_every_value_stands_there_with_the_length_of_its_run():
    svg = winner_figure(replace(STUDY, trials=(TRIALS[0], TRIALS[1])))
    assert {
        "error",
        "rex: validation 30.0 % after 20 epochs, 50.0 % after 2",
        "constant (control): validation 55.0 % after 2 epochs",
    } <= set(texts(svg))
    for family in ("rex", "constant"):
        assert family_color(family).lower().encode() in svg
