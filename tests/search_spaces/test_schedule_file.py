"""Schedules as JSON: written, read back, and rejected if invalid."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import EVERY_FAMILY, Cosine, InputError, from_params, suggest
from search_spaces.schedule_file import as_params, as_written, read_file
from search_spaces.space_file import read_space
from tests.drawing import COSINE, PEAK_LR, REX, DrawingTrial, among, every_family, properties


@every_family
@properties
@given(data=st.data())
def test_what_was_written_gives_the_parameters_back(family, data):
    trial = DrawingTrial(data)
    schedule = suggest(trial, [family], PEAK_LR)
    params = {**trial.params, "family": family}
    written = json.loads(json.dumps(as_written(params)))
    given_back = as_params(written, "here", among(list(EVERY_FAMILY)))
    assert from_params(given_back) == schedule
    # Not always the same parameters: a range that reaches an exact value gives two ways to draw it, a file one.
    assert json.loads(json.dumps(as_written(given_back))) == written
    assert as_params(written, "here", among([family])) == given_back


def test_numbers_may_be_written_as_people_do():
    params = as_params(COSINE, "here", among(["cosine"]))
    assert params == {
        "family": "cosine",
        "peak_lr": 0.2,
        "warmup_fraction_is_0": False,
        "warmup_fraction": 0.05,
        "cosine.t_max_fraction_is_1": True,
        "cosine.floor_ratio_is_0": True,
    }
    assert from_params(params) == Cosine(peak_lr=0.2, warmup_fraction=0.05)


def changed(schedule, **parameters):
    return {**schedule, "parameters": {**schedule["parameters"], **parameters}}


CYCLIC = {"cycles": 3, "base_ratio": 0.1, "mode": "triangular", "cycle_momentum": True}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (1, "a schedule is an object with family, peak_lr and parameters, but 1 was given"),
        ({"family": "rex"}, "a schedule needs the key 'peak_lr'"),
        ({**REX, "peak": 1}, "unknown key 'peak': did you mean 'peak_lr'"),
        ({**REX, "family": "rexx"}, "unknown family 'rexx': did you mean 'rex'"),
        ({**REX, "family": ["rex"]}, "unknown family \"['rex']\""),
        ({**REX, "family": "step"}, "family 'step' is not searched here: add it to --families"),
        ({**REX, "parameters": [0.0]}, "parameters must be an object of names and values"),
        ({**REX, "peak_lr": 5.1}, "peak_lr must be from 1e-05 to 5, but 5.1 was given"),
        ({**REX, "peak_lr": float("nan")}, "peak_lr must be from 1e-05 to 5, but nan was given"),
        ({**REX, "peak_lr": "0.1"}, "peak_lr must be from 1e-05 to 5, but '0.1' was given"),
        ({**REX, "peak_lr": True}, "peak_lr must be from 1e-05 to 5, but True was given"),
        ({**REX, "parameters": {}}, "rex needs the parameter 'warmup_fraction'"),
        (changed(REX, power=2.0), "rex does not take the parameter 'power' here. Valid: warmup_fraction"),
        (changed(REX, warmup_fraction=0.3), "warmup_fraction must be 0 or from 0.005 to 0.2, but 0.3 was given"),
        (changed(COSINE, t_max_fraction=0.6), "floor_ratio must be from 0.0001 to 0.3, but 0 was given"),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "warmup_fraction": 0.1}},
            "cyclic does not take the parameter 'warmup_fraction' here. Valid: cycles, base_ratio, mode",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "cycles": 2.5}},
            "cycles must be an integer from 2 to 8, but 2.5 was given",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "mode": "triangle"}},
            'mode must be one of "triangular", "triangular2", "exp_range", but \'triangle\' was given',
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "cycle_momentum": 1}},
            "cycle_momentum must be one of true, false, but 1 was given",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "mode": "exp_range"}},
            "cyclic needs the parameter 'end_amplitude'",
        ),
    ],
)
def test_what_is_wrong_is_said(written, said):
    with pytest.raises(InputError) as caught:
        as_params(written, "my.json", among(["rex", "cosine", "cyclic"]))
    assert str(caught.value).startswith(f"my.json: {said}")


def test_what_the_space_fixes_may_be_written_down_but_not_changed():
    fixed = partial(suggest, families=["rex"], peak_lr=PEAK_LR, ranges=read_space("no-warm-up").ranges)
    assert as_params(REX, "here", fixed) == {"family": "rex", "peak_lr": 0.1, "warmup_fraction": 0.0}
    with pytest.raises(InputError, match="here: warmup_fraction must be from 0 to 0, but 0.05 was given"):
        as_params({**REX, "parameters": {"warmup_fraction": 0.05}}, "here", fixed)


def test_deeply_nested_json_is_refused_and_a_byte_order_mark_is_skipped(tmp_path):
    path = tmp_path / "schedule.json"
    path.write_text("[" * 200_000)
    with pytest.raises(InputError, match="is not valid JSON"):
        list(read_file(str(path), ""))
    path.write_text('{"family": "constant"}', encoding="utf-8-sig")
    assert [written for _, written in read_file(str(path), "")] == [{"family": "constant"}]
