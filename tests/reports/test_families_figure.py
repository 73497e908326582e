"""The figure of how each family did: every seed, the control, and the order of the families."""

import math
from xml.etree import ElementTree

from study.reports.families_figure import best_first, draw_families
from tests.example_studies import ERROR, VALUES
from tests.svg import dots, texts


def test_every_seed_is_a_dot():
    svg = draw_families(
        {"5 epochs": {"rex": [0.1, 0.2, 0.3], "wsd": [0.4]}, "20 epochs": {"wsd": [0.1, math.nan]}}, ERROR
    )
    assert dots(svg, "seeds") == {"seeds-0-0": 3, "seeds-0-1": 1, "seeds-1-0": 1}
    assert "1 of 2 not finite" in texts(svg)


def test_the_control_is_named_only_where_it_is():
    assert any("control" in text for text in texts(draw_families({"20": VALUES}, ERROR)))
    assert not any("control" in text for text in texts(draw_families({"20": {"rex": [0.1]}}, ERROR)))


def test_the_families_of_a_panel_are_in_the_order_of_its_result():
    values = {"none": [], "lost": [0.1, math.nan], "b": [0.25], "a": [0.1, 0.3], "c": [0.2]}
    assert best_first(values, ERROR) == ["a", "c", "b", "lost", "none"]
    assert best_first(values, ERROR._replace(maximize=True)) == ["b", "a", "c", "lost", "none"]
    written = texts(draw_families({"5": {"a": [0.1], "b": [0.2]}, "20": {"a": [0.2], "b": [0.1]}}, ERROR))
    assert [text for text in written if text in ("a", "b")] == ["a", "b", "b", "a"]


def test_the_best_family_is_on_top():
    svg = draw_families({"20": {"worse": [0.4], "best": [0.1], "middle": [0.2]}}, ERROR)
    heights = {
        "".join(text.itertext()): text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }
    down = [float(heights[name].get("y") or 0) for name in ("best", "middle", "worse")]
    assert down == sorted(down)
    assert down[0] < down[2]
