"""Schedules drawn by hypothesis over the whole search space."""

from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from search_spaces import EVERY_FAMILY, suggest

PEAK_LR = (1e-5, 5.0)

BUILT_FOR_ANY = [name for name, family in EVERY_FAMILY.items() if not family.replaces_optimizer]
"""The families whose scheduler is built for any optimizer."""

optimizer_kept = pytest.mark.parametrize("family", BUILT_FOR_ANY)
every_family = pytest.mark.parametrize("family", EVERY_FAMILY)

properties = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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


REX = {"family": "rex", "peak_lr": 0.1, "parameters": {"warmup_fraction": 0.0}}
COSINE = {
    "family": "cosine",
    "peak_lr": 0.2,
    "parameters": {"warmup_fraction": 0.05, "t_max_fraction": 1, "floor_ratio": 0},
}


def among(families):
    """Draws a schedule of these families."""
    return partial(suggest, families=families, peak_lr=PEAK_LR)
