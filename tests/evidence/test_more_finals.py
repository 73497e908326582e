"""What longer finals choose, of runs whose best peak is known."""

import math
from types import SimpleNamespace

import pytest

from search_spaces import Cosine, Linear
from study.evidence.more_finals import FACTORS, MOST_FINALISTS, other_finals
from study.objective import Evaluation, Metric
from study.storage.finals import FinalRun, Finals

SEEDS = (1000, 1001, 1002)


class Valley:
    """An executor: an error is the distance of the peak from the best one in octaves, and less for a linear one."""

    def __init__(self, best):
        self.best, self.runs = best, []

    def error(self, schedule):
        return abs(math.log2(schedule.peak_lr / self.best)) - 0.3 * (schedule.family == "linear")

    def train(self, runs):
        self.runs += runs
        for index, run in enumerate(runs):
            yield Evaluation(index, 1, 1, 0.0, self.error(run.schedule), 0.0, 0.0)


def record_of(valley, schedules, finalists):
    """A search of which these finalists were trained in full; a short run favours the schedules in their order."""
    trials = [
        SimpleNamespace(schedule=one, is_reference=False, diverged=False, reported={2: 0.0, 10: place / 100})
        for place, one in enumerate(schedules)
    ]
    runs = tuple(FinalRun(one, seed, valley.error(schedules[one]), None) for one in finalists for seed in SEEDS)
    return SimpleNamespace(
        finals=Finals(finalists, (), SEEDS, (), runs=runs if len(finalists) > 1 else ()),
        settings=SimpleNamespace(epochs=20, budgets=[2, 10, 20]),
        metric=Metric("error", "minimize", "", 99.0),
        trials=trials,
        trial=trials.__getitem__,
    )


@pytest.mark.parametrize("finalists", [(0, 1), (1,)])
def test_the_best_of_more_finalists_and_of_other_peaks_is_chosen(finalists):
    """The two finalists have too high peaks; a linear one with the best peak led nowhere."""
    valley = Valley(best=1.0)
    schedules = [Cosine(peak_lr=8.0), Cosine(peak_lr=2.0), Linear(peak_lr=8.0), *map(cosine, range(20, 30))]
    record = record_of(valley, schedules, finalists)
    found = {way: (runs, chosen) for way, runs, chosen in other_finals(record, None, valley)}
    one, three, ten, both = found.values()
    assert one == (len(SEEDS) * (len(finalists) + len(FACTORS)), Cosine(peak_lr=1.0))
    assert three[1] == Cosine(peak_lr=1.0)
    assert ten == (len(SEEDS) * MOST_FINALISTS, Cosine(peak_lr=2.0))
    assert both[1] == Cosine(peak_lr=1.0)
    assert len({(run.schedule, run.train_seed) for run in valley.runs}) == len(valley.runs), "nothing is trained twice"
    assert {run.train_seed for run in valley.runs} == set(SEEDS)


def cosine(peak):
    return Cosine(peak_lr=float(peak))
