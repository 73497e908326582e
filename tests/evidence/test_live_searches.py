"""The default search beside what people do without it."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from study.evidence.live_searches import DEFAULT, PEOPLE, LiveResult, live_page, live_results
from study.evidence.one_family import KEPT, PEAKS, tuned_by_gaussian_process, tuned_by_grid
from study.evidence.rows_by_seed import read_rows_of, write_rows_of
from study.objective import Evaluation, Metric
from study.search.reference import WARMUP
from tests.helpers import DIGITS, ROOT, SMALL

BEST_PEAK = 0.07


class Bowl:
    """An executor and its objective: a run's error is the distance from the best peak, and luck on the first seed."""

    def __init__(self, lucky=None):
        self.objective = SimpleNamespace(peak_lr=(1e-3, 1.0), metric=Metric("error", "minimize", "", 99.0))
        self.lucky, self.runs = lucky, []

    def train(self, runs):
        first = self.runs[0].train_seed if self.runs else runs[0].train_seed
        self.runs += runs
        for index, run in reversed(list(enumerate(runs))):  # they may end in any order
            peak = run.schedule.peak_lr
            error = abs(math.log(peak / BEST_PEAK))
            if run.train_seed == first and self.lucky and self.lucky(peak):
                error = 0.0
            yield Evaluation(index, 1, 1, error, error, 0.0, 0.0)


@pytest.mark.parametrize("tune", [tuned_by_grid, tuned_by_gaussian_process])
@pytest.mark.parametrize("runs", [PEAKS, 20, 52])
def test_the_best_peaks_are_trained_on_as_many_seeds_as_are_left(tune, runs):
    bowl = Bowl()
    found = tune(bowl.objective, bowl, "rex", 20, runs, 7000)
    peaks = {run.schedule.peak_lr for run in bowl.runs}
    assert found.peak_lr == min(peaks, key=lambda peak: abs(math.log(peak / BEST_PEAK)))
    assert (found.family, found.warmup_fraction) == ("rex", WARMUP)
    assert len(peaks) == PEAKS
    assert runs - KEPT < len(bowl.runs) <= runs
    again = [run.train_seed for run in bowl.runs[PEAKS:] if run.schedule == found]
    assert again == list(range(7001, 7001 + (runs - PEAKS) // KEPT))


def test_a_lucky_first_run_does_not_choose():
    spacing = math.log(1000) / PEAKS
    bowl = Bowl(lucky=lambda peak: abs(math.log(peak / 0.9)) < spacing)
    found = tuned_by_grid(bowl.objective, bowl, "cosine", 20, 30, 0)
    assert abs(math.log(found.peak_lr / BEST_PEAK)) < spacing


def test_the_grid_is_even_and_within_the_range():
    bowl = Bowl()
    tuned_by_grid(bowl.objective, bowl, "linear", 20, PEAKS, 3)
    peaks = np.array([run.schedule.peak_lr for run in bowl.runs])
    assert np.allclose(np.diff(np.log(peaks)), math.log(1000) / PEAKS)
    assert 1e-3 <= peaks.min() <= peaks.max() <= 1.0


def test_the_page_pairs_each_arm_with_the_default(tmp_path):
    tests = {
        "unpruned search": (0.32, 0.30),
        DEFAULT: (0.30, 0.29),
        "rex, grid of peaks": (0.29, 0.29),
        "linear, grid of peaks": (0.35, 0.35),
    }
    rows = [
        LiveResult(arm, seed, 50.0, test, "rex", 0.1) for arm, own in tests.items() for seed, test in enumerate(own)
    ]
    page = live_page(rows, "digits", 8)
    assert "| unpruned search | 2 | 50.0 | 31.00 ± 1.00 | +1.50 [" in page
    assert f"| {DEFAULT} | 2 | 50.0 | 29.50 ± 0.50 | - |" in page
    assert "| rex, grid of peaks | 2 | 50.0 | 29.00 ± 0.00 | -0.50 [" in page
    assert "The best of the grids: rex." in page
    write_rows_of(tmp_path / "rows.csv", rows)
    assert read_rows_of(tmp_path / "rows.csv", LiveResult) == rows


@pytest.mark.slow
def test_every_arm_is_trained_at_the_cost_of_the_default_search(data_root):
    search = replace(SMALL, families=("cosine", "rex"), trials_per_bracket=12)
    rows = live_results(DIGITS, search, 12, 2, ("finals", "unpruned", "pruners", "process"), 0, data_root)
    total = next(row.full_runs for row in rows if row.arm == DEFAULT)
    ways = [row for row in rows if not row.arm.startswith("default")]
    pruned = [row for row in ways if row.arm in ("Optuna, median", "Optuna, hyperband")]
    assert all(total - KEPT < row.full_runs <= round(total) for row in ways if row not in pruned)
    assert all(row.full_runs >= total for row in pruned), "to the end of a bracket"
    assert [row.family for row in rows[-6:]] == [*PEOPLE, *PEOPLE]
    assert [row.arm for row in ways[:4]] == [
        "unpruned search",
        "Optuna, no pruning",
        "Optuna, median",
        "Optuna, hyperband",
    ]
    assert all(0 < row.test < 0.9 for row in rows)
    few = live_results(DIGITS, search, 12, 2, (), 0, data_root)
    further = ("default search, finals ", "unpruned", "Optuna, median", "Optuna, hyper")
    assert few == [row for row in rows if not row.arm.startswith(further) and "Gaussian" not in row.arm]


@pytest.mark.parametrize("path", sorted((ROOT / "results" / "search").glob("live-*.csv")), ids=lambda path: path.stem)
def test_a_committed_page_says_what_its_rows_say(path):
    rows, page = read_rows_of(path, LiveResult), path.with_suffix(".md").read_text()
    default = {row.search_seed: row.test for row in rows if row.arm == DEFAULT}
    assert page.startswith(f"{len(default)} searches on ")
    for arm in {row.arm for row in rows}:
        own = {row.search_seed: row.test for row in rows if row.arm == arm}
        assert own.keys() <= default.keys()
        [line] = [line for line in page.splitlines() if line.startswith(f"| {arm} |")]
        assert f" {100 * np.mean(list(own.values())):.2f} ± " in line
        if arm != DEFAULT:
            assert f" {100 * np.mean([own[seed] - default[seed] for seed in own]):+.2f} [" in line
