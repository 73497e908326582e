"""The figures of a report: what is in the picture, and that it can be read."""

import io
import itertools
import math
import os
import re
import subprocess
import sys

import pytest
from matplotlib import style
from matplotlib.text import Text

from study.reports.families_figure import draw_families
from study.reports.figures import RunCurve, draw_winners, importances, tuning_curves
from study.reports.plot_style import SVG_LOOK
from study.reports.svg import shortened
from tests.colors import PAGES, contrast
from tests.example_studies import ERROR, NAMES, ODD
from tests.figure_examples import TUNING, curves, digest, full_and_odd
from tests.helpers import ROOT
from tests.svg import dots, texts


def test_another_process_draws_the_same_bytes():
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from tests.figure_examples import digest; print(digest())"]
    other = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert other.strip() == digest()


@pytest.mark.parametrize("name", full_and_odd())
def test_no_text_lies_on_another_or_leaves_the_figure(name, monkeypatch):
    draw, arguments = full_and_odd()[name]
    drawn, draw_text = {}, Text.draw

    def seen(text, renderer):
        if text.get_visible() and text.get_text().strip():
            drawn[id(text)] = (text.get_text(), Text.get_window_extent(text, renderer).padded(-0.5))
        draw_text(text, renderer)

    with style.context(["default", SVG_LOOK]):
        figure = draw.__wrapped__(*arguments)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # what was laid out is drawn, as it is
        monkeypatch.setattr(Text, "draw", seen)
        figure.savefig(io.BytesIO(), format="svg")
    width, height = 72 * figure.get_size_inches()
    boxes = list(drawn.values())
    assert len(boxes) > 4
    for (one, box), (other, other_box) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other_box), f"{one!r} and {other!r}"
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text


@pytest.mark.parametrize("name", full_and_odd())
def test_a_figure_has_no_background_and_can_be_read_on_a_white_and_on_a_dark_page(name):
    """Without black and white: every colour that is not transparent has a contrast of 3 with both."""
    draw, arguments = full_and_odd()[name]
    colors = set(re.findall(rb"(?:fill|stroke): (#[0-9a-f]{6})", draw(*arguments)))
    assert colors
    for color in colors:
        assert min(contrast(color.decode(), page) for page in PAGES) > 2.99, color
    texts_without_color = re.findall(rb'<text style="(?![^"]*fill: #)', draw(*arguments))
    assert not texts_without_color, "they would be black"


@pytest.mark.parametrize("name", ["winners, odd", "families, odd", "tuning, odd", "importances, odd", "winner, odd"])
def test_names_are_written_as_they_are(name):
    draw, arguments = full_and_odd()[name]
    written = texts(draw(*arguments))
    assert set(ODD) <= set(written)
    if name == "families, odd":
        assert "<&_$x$>" in written
        assert f"mean of {ODD[0]}, the control" in written


def test_a_name_with_characters_that_xml_cannot_hold_is_drawn():
    assert "a b" in texts(draw_families({"20": {"a\x07b": [0.1]}}, ERROR))


def test_labels_in_other_scripts_are_written():
    assert "学习率 🙂" in texts(tuning_curves({"学习率 🙂": [0.1]}, ERROR))


def test_winners_are_six_at_most():
    written = texts(draw_winners(curves(NAMES), ERROR))
    assert [name for name in NAMES if name in written] == NAMES[:6]
    assert dots(draw_winners(curves(NAMES), ERROR), "learning") == {f"learning-{number}": 5 for number in range(6)}


def test_evaluations_without_a_value_are_left_out():
    lr = [0.1] * 10
    svg = draw_winners([RunCurve("rex", lr, [2, 4, 6, 8], [0.9, None, math.nan, 0.5])], ERROR)
    assert dots(svg, "learning") == {"learning-0": 2}


def test_runs_of_different_lengths_share_an_axis():
    same, other = curves(["a", "b"]), curves(["c"], total_steps=50)
    assert "step" in texts(draw_winners(same, ERROR))
    assert "share of the run" in texts(draw_winners([*same, *other], ERROR))


@pytest.mark.parametrize(("peak", "scale"), [(0.1, "lr"), (0.9, "lr"), (1.1, "lr (log scale)")])
def test_learning_rates_far_apart_have_a_log_axis(peak, scale):
    constant = [RunCurve("low", [0.1] * 4, [4], [0.5]), RunCurve("high", [peak] * 4, [4], [0.4])]
    assert [text for text in texts(draw_winners(constant, ERROR)) if text.startswith("lr")] == [scale]


@pytest.mark.parametrize(("maximize", "named"), [(False, NAMES[:6]), (True, NAMES[-6:])])
def test_the_six_best_families_are_named(maximize, named):
    svg = tuning_curves(TUNING, ERROR._replace(maximize=maximize))
    written = texts(svg)
    assert {name for name in NAMES if name in written} == set(named)
    assert "other families" in written
    assert len(dots(svg, "tuning")) == len(NAMES)
    assert "other families" not in texts(tuning_curves({name: TUNING[name] for name in named}, ERROR))


def test_importances_are_in_percent():
    written = texts(importances({"family": 0.3, "peak_lr": 0.625, "warmup_fraction": 0.075}, 50, "2-epoch"))
    assert {"62 %", "30 %", "8 %", "Parameter importance (50 trials, 2-epoch runs)"} <= set(written)
    assert next(text for text in written if text in ("family", "peak_lr", "warmup_fraction")) == "peak_lr"


def test_a_label_is_cut_only_if_it_is_long():
    assert shortened("x" * 28) == "x" * 28
    assert shortened("x" * 29) == "x" * 27 + "…"
