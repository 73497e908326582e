"""Whether the mean learning rate explains the values: on records whose values are known functions of the rates."""

from dataclasses import replace

import pytest

from search_spaces import Constant, Cosine, Linear, Plateau
from study.evidence.known.known_results import Benchmark
from study.evidence.known.mean_rate import FEWEST, WITHIN, mean_rate_table, mean_rates
from study.search.reference import params_of
from study.storage.study_record import StudyRecord
from tests.example_studies import SETTINGS, TRIAL, study_record

STEPS = 100
PEAKS = [0.01 * 1.2**number for number in range(FEWEST)]


def benchmark_of(schedules, value_of) -> Benchmark:
    """A study for each family; value_of gives the value of a schedule."""
    studies: list[StudyRecord] = []
    for family in dict.fromkeys(one.family for one in schedules):
        settings = replace(SETTINGS, epochs=STEPS, budgets=(STEPS,), families=(family,), unit="steps")
        own = [one for one in schedules if one.family == family]
        trials = [
            replace(
                TRIAL,
                params=params_of(one),
                value=value_of(one),
                reported={STEPS: value_of(one)},
                epochs_used={STEPS: float(STEPS)},
            )
            for one in own
        ]
        studies.append(study_record(trials, name=family, settings=settings, steps_per_epoch=1))
    return Benchmark("here", studies, {})


def test_a_value_that_falls_with_the_mean_rate_is_explained_by_it():
    """A linear decay has half the mean rate of a constant one, so the peak explains less."""
    schedules = [family(peak_lr=peak) for peak in PEAKS for family in (Constant, Linear)]
    [found] = mean_rates(benchmark_of(schedules, lambda one: 1 - one.rates(STEPS).mean()))
    assert (found.where, found.n, found.of_mean) == ("here, 100 steps", 2 * FEWEST, pytest.approx(-1))
    assert -1 < found.of_peak < -0.3


def test_a_value_that_falls_with_the_peak_is_explained_by_that():
    schedules = [family(peak_lr=peak) for peak in PEAKS for family in (Constant, Linear)]
    [found] = mean_rates(benchmark_of(schedules, lambda one: 1 - one.peak_lr))
    assert found.of_peak == pytest.approx(-1)
    assert found.of_mean > -1


def test_peaks_above_the_best_or_far_below_and_schedules_that_listen_are_left_out():
    best = max(PEAKS)
    others = [Constant(peak_lr=1.01 * best), Constant(peak_lr=0.99 * best / WITHIN), Plateau(peak_lr=best)]
    schedules = [*(Cosine(peak_lr=peak) for peak in PEAKS), *others]
    benchmark = benchmark_of(schedules, lambda one: 0.9 if one in others else 1 - 10 * one.peak_lr)
    [found] = mean_rates(benchmark)
    assert (found.n, found.of_mean) == (FEWEST, pytest.approx(-1))
    assert "| here, 100 steps | 8 | -1.00 | -1.00 |" in mean_rate_table([benchmark])


def test_of_too_few_runs_nothing_is_said():
    assert list(mean_rates(benchmark_of([Constant(peak_lr=peak) for peak in PEAKS[1:]], lambda one: one.peak_lr))) == []
