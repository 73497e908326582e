"""Schedules drawn by hypothesis, over all that is searched."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from search_spaces import FAMILIES

PEAK_LR = (1e-5, 5.0)

every_family = pytest.mark.parametrize("family", FAMILIES)

properties = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class DrawingTrial:
    """An Optuna trial whose sampler is hypothesis."""

    def __init__(self, data):
        self.data, self.params = data, {}

    def draw(self, name, strategy):
        self.params[name] = self.data.draw(strategy, label=name)
        return self.params[name]

    def suggest_float(self, name, low, high, log=False):
        return self.draw(name, st.floats(low, high))

    def suggest_int(self, name, low, high):
        return self.draw(name, st.integers(low, high))

    def suggest_categorical(self, name, choices):
        return self.draw(name, st.sampled_from(choices))
