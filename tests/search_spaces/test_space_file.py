"""Space files: valid ones are printed and read back as the same space, invalid ones get a clear message."""

import json
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import ADAMW_PEAK_LR, FAMILIES, SGD_PEAK_LR, InputError, from_params, space, suggest
from search_spaces.ranges import Choice, Either, Float, Integer
from search_spaces.schedule_file import as_params, as_written
from search_spaces.space_file import presets, read_space, space_toml
from study.search.configuration import Configuration
from tests.drawing import DrawingTrial, among
from tests.helpers import ROOT, SMALL, run_search

PEAK_LR = (0.01, 0.5)


def written(path, text):
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["all", "classic", "transformer"])
def test_printing_and_reading_gives_the_same_space(name, tmp_path):
    assert name in presets()
    first = read_space(name)
    path = written(tmp_path / "space.toml", space_toml(first.families, PEAK_LR, first.ranges))
    again = read_space(path)
    assert again.families == first.families
    # The peak is in the file now: another optimizer's range does not matter.
    assert space(again.families, ADAMW_PEAK_LR, again.ranges) == space(first.families, PEAK_LR, first.ranges)
    assert space_toml(again.families, ADAMW_PEAK_LR, again.ranges) == (tmp_path / "space.toml").read_text()


def test_the_preset_all_is_what_is_searched_without_a_file():
    found = read_space("all")
    assert found.families == tuple(FAMILIES)
    assert space(found.families, SGD_PEAK_LR, found.ranges) == space(FAMILIES, SGD_PEAK_LR)


def test_classic_is_pytorchs_four_and_constant():
    torch_classes = [
        FAMILIES[name].torch_class.__name__ for name in read_space("classic").families if name != "constant"
    ]
    assert torch_classes == ["StepLR", "ExponentialLR", "CosineAnnealingLR", "ReduceLROnPlateau"]


def test_everything_that_a_file_can_say(tmp_path):
    path = written(
        tmp_path / "mine.toml",
        """
        families = ["cosine", "multistep", "wsd", "one_cycle"]
        peak_lr = { low = 0.01, high = 0.1 }
        warmup_fraction = 0.05
        [cosine]
        t_max_fraction = 1
        floor_ratio = { low = 0.01, high = 0.1, or_exactly = 0 }
        [multistep]
        drops = { low = 2, high = 9 }
        gamma = [0.1, 0.5]
        [wsd]
        shape = ["linear", "cosine"]
        [one_cycle]
        cycle_momentum = false
        """,
    )
    families, ranges = read_space(path)
    assert families == ("cosine", "multistep", "wsd", "one_cycle")
    assert ranges == {
        "peak_lr": Float(0.01, 0.1, log=True),
        "warmup_fraction": Float(0.05, 0.05),
        "cosine.t_max_fraction": Float(1.0, 1.0),
        "cosine.floor_ratio": Either(0.0, Float(0.01, 0.1, log=True)),
        "multistep.drops": Integer(2, 9),
        "multistep.gamma": Choice((0.1, 0.5)),
        "wsd.shape": Choice(("linear", "cosine")),
        "one_cycle.cycle_momentum": Choice((False,)),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('families = ["cosin"]', "bad.toml: families: unknown family 'cosin': did you mean 'cosine'"),
        ("families = 3", r'bad.toml: families must be a list such as \["cosine", "wsd"\], but 3 was given'),
        ("families = []", "bad.toml: families: at least one family is needed"),
        ("peak = 0.1", "unknown key 'peak' in bad.toml: did you mean 'peak_lr'"),
        ('peak_lr = "high"', "bad.toml: peak_lr must be a finite number, but 'high' was given"),
        ("peak_lr = nan", "bad.toml: peak_lr must be a finite number, but nan was given"),
        ("peak_lr = -1", r"bad.toml: \[constant\]: peak_lr must be above 0 and finite, but -1.0 was given"),
        ("peak_lr = { low = 1, high = 0.1 }", r"peak_lr: low must be at most high, but \(1.0, 0.1\) was given"),
        ("peak_lr = { low = 0, high = 0.1 }", "peak_lr: low must be above 0 if log is true, but 0.0 was given$"),
        (
            "weight_decay = { low = 0, high = 0.1 }",
            "weight_decay: low must be above 0 if log is true, but 0.0 was given; give log = false for a range from 0$",
        ),
        (
            "weight_decay = { low = 0, high = 0.1, log = true }",
            "weight_decay: low must be above 0 if log is true, but 0.0 was given$",
        ),
        ("peak_lr = { low = 0.1 }", "peak_lr needs low and high, but {'low': 0.1} was given"),
        ("peak_lr = { low = 0.1, hihg = 1 }", "unknown key 'hihg' in bad.toml: peak_lr: did you mean 'high'"),
        ("peak_lr = { low = 0.1, high = 1, or_exactly = 2 }", "peak_lr has no exact value besides its range"),
        ("peak_lr = { low = 0.1, high = 1, log = 2 }", "peak_lr.log must be true or false, but 2 was given"),
        ("cosine = 3", r"bad.toml: cosine must be a table, \[cosine\] followed by its keys, but 3 was given"),
        ("[cosine]\nfloor = 0", r"unknown key 'floor' in \[cosine\] of bad.toml: did you mean 'floor_ratio'"),
        ("[cosine]\nfloor_ratio = 1", r"\[cosine\]: floor_ratio must be at least 0 and below 1, but 1.0 was given"),
        (
            "[cosine]\nt_max_fraction = 0.5\nfloor_ratio = 0",
            r"\[cosine\]: cosine with t_max_fraction=0.5 reaches its lowest learning rate inside the run: set",
        ),
        ("[linear]\nend_ratio = { low = 0.1, high = 1, or_exactly = 0.5 }", "end_ratio.or_exactly must be 0, but 0.5"),
        ("[multistep]\ndrops = 1.5", r"\[multistep\] drops must be an integer, but 1.5 was given"),
        ("[multistep]\ndrops = { low = 1, high = 4, log = true }", r"drops is an integer: remove log"),
        ("[multistep]\ndrops = 0", r"\[multistep\]: drops must be at least 1, but 0 was given"),
        ('[wsd]\nshape = "round"', r"\[wsd\]: unknown shape 'round'"),
        ("[wsd]\nshape = []", r"\[wsd\] shape must list at least one choice"),
        (
            "[wsd]\nshape = { low = 0, high = 1 }",
            r"shape is a choice, not a range: give one or several of \['lin",
        ),
        ("[one_cycle]\ncycle_momentum = 1", r"cycle_momentum must be among \[True, False\], but 1 was given"),
        ('families = ["wsd"]\n[cosine]\nfloor_ratio = 0', r"\[cosine\] is given, but families does not list cosine"),
        (
            "[wsd]\npower = { low = 0.3, high = 2.0 }",
            r"^bad.toml: \[wsd\]: power is searched only with shape power: add it to shape$",
        ),
        ('[wsd]\nshape = "cosine"\npower = 0.5', "power is searched only with shape power: add it to shape"),
        ("families = [", "bad.toml is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(text, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "bad.toml", text)
    with pytest.raises(InputError, match=said) as caught:
        read_space("bad.toml")
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown space 'clasic': did you mean 'classic'. Valid: all, classic, lang"):
        Configuration(space="clasic")
    with pytest.raises(InputError, match="is not valid TOML"):
        Configuration(space=str(tmp_path))
    with pytest.raises(InputError, match="--families must be among those of --space classic, but 'wsd' was given"):
        Configuration(space="classic", families=("step", "wsd"))
    assert Configuration(space="classic", families=("step",)).families == ("step",)


REQUESTED = """
families = ["wsd"]
[wsd]
shape = ["1-sqrt", "power"]
floor_ratio = { low = 0.05, high = 0.2, or_exactly = 0.0 }
power = { low = 0.3, high = 2.0 }
"""


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_searched_on_request_is_drawn_and_read_back_only_then(tmp_path_factory, data):
    path = written(tmp_path_factory.mktemp("space") / "space.toml", REQUESTED)
    found, trial = read_space(path), DrawingTrial(data)
    drawn = suggest(trial, found.families, PEAK_LR, found.ranges)
    assert set(trial.params) <= set(space(found.families, PEAK_LR, found.ranges))
    assert drawn.floor_ratio == 0 or 0.05 <= drawn.floor_ratio <= 0.2
    assert 0.3 <= drawn.power <= 2.0
    assert ("wsd.power" in trial.params) == (drawn.shape == "power")
    assert from_params(trial.params) == drawn
    within = partial(suggest, families=found.families, peak_lr=PEAK_LR, ranges=found.ranges)
    content = json.loads(json.dumps(as_written(trial.params)))
    assert {"floor_ratio"} <= set(content["parameters"])
    assert from_params(as_params(content, "here", within)) == drawn
    with pytest.raises(InputError, match="wsd does not take the parameter 'floor_ratio' here"):
        as_params({**content, "parameters": {**content["parameters"], "shape": "linear"}}, "here", among(["wsd"]))
    assert space_toml(found.families, PEAK_LR, found.ranges) == space_toml(*read_again(path, found))


def read_again(path, found):
    """The arguments that print the space of a file that was printed."""
    again = read_space(written(Path(path).with_name("again.toml"), space_toml(found.families, PEAK_LR, found.ranges)))
    return again.families, PEAK_LR, again.ranges


def test_a_fixed_floor_is_recorded(tmp_path):
    found = read_space(written(tmp_path / "space.toml", 'families = ["wsd"]\n[wsd]\nfloor_ratio = 0.15'))
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    assert suggest(trial, found.families, PEAK_LR, found.ranges).floor_ratio == 0.15
    assert from_params(trial.params).floor_ratio == 0.15


BOUNDS = st.tuples(st.floats(1e-6, 0.9), st.floats(1e-6, 0.9)).map(sorted)


@given(peak=BOUNDS, floor=BOUNDS, log=st.booleans(), exactly=st.booleans(), warmup=st.floats(0, 0.9))
@settings(max_examples=50, deadline=None)
def test_any_ranges_are_read_as_they_are_printed_and_drawn_within(tmp_path_factory, peak, floor, log, exactly, warmup):
    ranges = {
        "peak_lr": Float(*peak, log=log and peak[0] < peak[1]),
        "warmup_fraction": Float(warmup, warmup),
        "linear.end_ratio": Float(*floor, log=log and floor[0] < floor[1]),
    }
    if exactly:
        ranges["linear.end_ratio"] = Either(0.0, ranges["linear.end_ratio"])
    path = written(tmp_path_factory.mktemp("space") / "space.toml", space_toml(["linear"], PEAK_LR, ranges))
    found = read_space(path)
    assert (found.families, found.ranges) == (("linear",), ranges)
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    drawn = suggest(trial, found.families, PEAK_LR, found.ranges)
    assert peak[0] <= drawn.peak_lr <= peak[1]
    assert drawn.warmup_fraction == warmup
    assert floor[0] <= drawn.end_ratio <= floor[1] or (exactly and drawn.end_ratio == 0)
    assert from_params(trial.params) == drawn


def test_a_search_stays_within_the_file_and_is_not_reopened_with_another(storage, workload, tmp_path):
    text = 'families = ["linear", "cyclic"]\npeak_lr = 0.07\nwarmup_fraction = 0.3\n[cyclic]\nmode = "exp_range"\n'
    fixed = replace(SMALL, space=written(tmp_path / "space.toml", text))
    trials = run_search(storage, workload, 15, fixed)
    assert {trial.params["family"] for trial in trials} == {"linear", "cyclic"}
    assert {trial.params["peak_lr"] for trial in trials} == {0.07}
    for trial in trials:
        schedule = from_params(trial.params)
        assert schedule.warmup_fraction == (0.3 if schedule.family == "linear" else 0)
        assert getattr(schedule, "mode", "exp_range") == "exp_range"
    other = replace(SMALL, space=written(tmp_path / "other.toml", text.replace("0.07", "0.08")))
    with pytest.raises(InputError, match="was made with another space: the range of peak_lr. Choose another"):
        run_search(storage, workload, 16, other)
    with pytest.raises(InputError, match="was made with families"):
        run_search(storage, workload, 16, SMALL)


def test_print_space_prints_a_file_that_prints_itself(command, tmp_path):
    printed = command("search.py", "--space", "transformer", "--optimizer", "adamw", "--print-space")
    assert (printed.code, printed.err) == (0, "")
    assert "peak_lr = { low = 1e-05, high = 0.1, log = true }" in printed.out
    written(tmp_path / "space.toml", printed.out)
    assert command("search.py", "--space", "space.toml", "--print-space").out == printed.out
    twice = command("search.py", "--families", "rex", "rex", "--print-space")
    assert twice.out == command("search.py", "--families", "rex", "--print-space").out
    assert not list((tmp_path / "results").iterdir()), "nothing is opened"


def test_the_presets_are_package_data():
    """Not only an editable installation, which finds them in the checkout, is to have them."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = [path for pattern in declared["search_spaces"] for path in (ROOT / "search_spaces").glob(pattern)]
    names = {"all", "classic", "language-model", "no-warm-up", "transformer"}
    assert {path.stem for path in shipped} == set(presets()) == names


def test_a_file_that_notepad_saved_is_read(tmp_path):
    (tmp_path / "space.toml").write_text('families = ["cosine"]\n', encoding="utf-8-sig")
    assert read_space(str(tmp_path / "space.toml")).families == ("cosine",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = " + "[" * 5000, "is not valid TOML"),
        ("peak_lr = 1" + "0" * 400, r"peak_lr must be a finite number, but 10+\.\.\.0+ was given"),
        ("[inverse_time]\npower = 1" + "0" * 400, "power must be among numbers such as"),
        ("families = [" + '"x"' + ", 'y'" * 2000 + "]", "unknown family 'x'"),
        (f"families = ['{'x' * 5000}']", r"unknown family 'x+\.\.\.x+'"),
    ],
)
def test_what_is_deeply_nested_or_huge_is_one_short_message(tmp_path, text, said):
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_space(str(tmp_path / "space.toml"))
    assert len(str(error.value)) < 1000
