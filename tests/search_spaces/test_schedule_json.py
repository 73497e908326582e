"""Schedules as plain values for another process, and back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from search_spaces import suggest
from search_spaces.schedule_json import schedule_from_json, schedule_to_json
from tests.drawing import PEAK_LR, DrawingTrial, every_family, properties


@every_family
@properties
@given(data=st.data())
def test_a_schedule_comes_back_whole(family, data):
    schedule = suggest(DrawingTrial(data), [family], PEAK_LR)
    assert schedule_from_json(json.loads(json.dumps(schedule_to_json(schedule)))) == schedule
