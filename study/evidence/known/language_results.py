"""Published claims about schedules of language models, checked against our benchmarks of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from study.analysis.ranking import gaps
from study.evidence.known.fixed_schedules import TO_A_TENTH, TO_ZERO, cool_down_name
from study.evidence.known.known_results import Benchmark, KnownResult, loses, verdicts

CLAIMS = {
    "a cosine to a tenth of the peak loses to linear decay to zero (Bergsma 2025)": (TO_A_TENTH, TO_ZERO),
    "a cool-down over 2.5 % of the run loses to one over 10 % (Hagele 2024)": (
        cool_down_name(0.025, "1-sqrt"),
        cool_down_name(0.1, "1-sqrt"),
    ),
    "a linear cool-down loses to a 1-sqrt one (Hagele 2024)": (
        cool_down_name(0.2, "linear"),
        cool_down_name(0.2, "1-sqrt"),
    ),
    "a tuned cosine loses to a cool-down over 20 % (Hagele 2024: they tie)": ("cosine", cool_down_name(0.2, "1-sqrt")),
    "a tuned cosine loses to schedule-free (Defazio 2024)": ("cosine", "schedule_free"),
    "a tuned linear decay loses to schedule-free (Defazio 2024)": ("linear", "schedule_free"),
}
"""Claim -> (the schedule that loses, the one that it loses to)."""
AVERAGED = "-ema"
"""Suffix of the name of a benchmark whose weights are averaged."""


def language_results(benchmarks: Sequence[Benchmark]) -> Iterable[KnownResult]:
    """Every claim, on every benchmark and at every budget that has the schedules for it."""
    for benchmark in benchmarks:
        yield from decays_and_rivals(benchmark)
    for raw, averaged in product(benchmarks, repeat=2):
        if averaged.name == raw.name + AVERAGED:
            yield from averaged_constant_loses(raw, averaged)


def averaged_constant_loses(raw: Benchmark, averaged: Benchmark) -> Iterable[KnownResult]:
    """A constant rate whose weights are averaged loses to a decay whose weights are not, each tuned."""
    for budget, tests in averaged.tests.items():
        decays = raw.tests.get(budget, {})
        if "constant" in tests and "linear" in decays and averaged.same_seeds_at(budget, raw, budget):
            gap = gaps(tests["constant"], decays["linear"])
            claim = "a constant learning rate with averaged weights loses to linear decay (Hagele 2024)"
            yield KnownResult(claim, raw.at(budget), f"by {raw.interval(gap)}", *verdicts([gap]))


def decays_and_rivals(benchmark: Benchmark) -> Iterable[KnownResult]:
    """Decays and their rivals on one benchmark."""
    for budget, tests in benchmark.tests.items():
        for claim, (worse, better) in CLAIMS.items():
            if {worse, better} <= set(tests):
                yield loses(claim, benchmark, budget, worse, better)
    yield from gain_grows(benchmark)


def gain_grows(benchmark: Benchmark) -> Iterable[KnownResult]:
    """Linear decay to zero gains on a cosine to a tenth as the budget grows."""
    own = {budget: tests for budget, tests in benchmark.tests.items() if {TO_ZERO, TO_A_TENTH} <= set(tests)}
    if len(own) > 1 and benchmark.same_seeds_at(min(own), benchmark, max(own)):
        ahead = {budget: gaps(tests[TO_A_TENTH], tests[TO_ZERO]) for budget, tests in own.items()}
        ours = ", ".join(f"{benchmark.mean(gap)} at {budget}" for budget, gap in ahead.items())
        claim = "linear decay to zero gains on a cosine to a tenth with the budget (Bergsma 2025)"
        yield KnownResult(claim, benchmark.name, ours, *verdicts([gaps(ahead[max(ahead)], ahead[min(ahead)])]))
