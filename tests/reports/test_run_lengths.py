"""For which lengths a schedule is known, in words; doctests show how a drift is written."""

from dataclasses import replace

from study.reports.run_lengths import lengths_in_words
from study.reports.schedule_origin import as_comment, origin
from study.reports.search_console import code_shown
from study.reports.section import setting
from tests.example_studies import SETTINGS, TRIAL, row, study_record


def test_the_lengths_are_those_that_the_trial_had():
    full, pruned = study_record([row("rex", 0.1, 0.5, full=0.3), row("rex", 0.2, 0.6)]).trials
    study = study_record([full, pruned])
    assert lengths_in_words(study, full) == "found in runs of 320 steps, compared from 32 steps on"
    assert lengths_in_words(study, pruned) == "found in runs of 32 steps, not tried at any other length"
    unpruned = replace(TRIAL, epochs_used={20: 20.0})
    assert lengths_in_words(study, unpruned) == "found in runs of 320 steps, not tried at any other length"


def test_steps_that_nobody_saw_are_not_named():
    trials = [row("constant", 0.1 + 0.01 * i, 0.3 + 0.01 * i, full=0.3 + 0.01 * (i - 5) ** 2) for i in range(10)]
    trials = [replace(one, params=one.params | {"warmup_fraction_is_0": True}) for one in trials]
    settings = replace(SETTINGS, own_training="python train.py {seed} {timm}")
    timm = study_record(trials, settings=settings, seen=False)
    shown = " ".join(code_shown(timm, timm.best, 80).split())
    assert "Length: found in runs of 20 epochs, compared from 2 epochs on; best peak_lr at 2 epochs / at 20" in shown
    comment = as_comment(timm, timm.best)
    assert "# workload    digits-mlp-sgd, 20 epochs\n" in comment
    assert " steps" not in comment
    found = origin(timm, timm.best)
    assert (found["epochs"], found["shortest_epochs"], found["peak_drift"][0]["long_epochs"]) == (20, 2, 20)
    assert not [name for name in (*found, *found["peak_drift"][0]) if "steps" in name]
    assert setting(timm) == "python train.py {seed} {timm}".replace("{", "\\{").replace("}", "\\}")


def test_the_printed_code_promises_no_more():
    rows = [row("wsd", 0.1 + 0.01 * i, 0.3 + 0.01 * i, full=0.3 + 0.01 * (i - 5) ** 2) for i in range(10)]
    wsd = {"warmup_fraction_is_0": True, "wsd.cooldown_fraction": 0.2, "wsd.shape": "linear"}
    rows = [replace(one, params=one.params | wsd) for one in rows]
    few, many = study_record(rows[:3]), study_record(rows)
    for study in (few, many):
        shown = code_shown(study, study.best, 80)
        known = shown.rpartition("\n\n")[2]
        assert known.startswith("Length: found in runs of 320 steps, compared from 32 steps on")
        assert ("best peak_lr at 32 steps / at 320 steps: 0." in " ".join(known.split())) == (study is many)
        assert "any length" not in shown
        assert max(map(len, known.splitlines())) <= 80
