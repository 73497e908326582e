"""Published claims about schedules, checked against our benchmarks: a table with a verdict per claim and workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from study.analysis.family_results import by_budget, confirmed, ranking
from study.analysis.ranking import LEVEL, gaps
from study.analysis.statistics import explained, holm, mean_interval, wilcoxon_p
from study.evidence.known.fixed_schedules import FACTORS, WARMUP, seeds_of, warm_up_name
from study.executors.recorded_runs import Recorded
from study.objective import FRACTION_OF_ROWS, length_in_words
from study.storage.study_record import StudyRecord

DECAYS = ("linear", "cosine", "polynomial", "rex", "one_cycle", "wsd")
"""Families that end near zero."""
WITHOUT = "-no-warm-up"
"""Suffix of the name of a benchmark that was searched without warm-up."""
ALIKE = ("linear", "cosine", "polynomial", "rex")
PUBLISHED = {"mnist1d-mlp": 68.0, "mnist1d-cnn": 94.0}
"""Test accuracy in per cent on MNIST-1D (Greydanus & Kobak 2024, table 1)."""
MARGIN = 3.0
"""Points by which a published accuracy may exceed ours."""
CONFIRMED, CONTRADICTED, INCONCLUSIVE, MIXED = "confirmed", "contradicted", "inconclusive", "mixed"
"""The verdicts."""
AGREEMENT = """\
The rule: differences are paired by seed and tested with Wilcoxon's exact signed-rank test at 0.05, corrected by Holm's
method within a line. *confirmed*: a significant difference in the claimed direction; *contradicted*: a significant
difference in the other direction; *inconclusive*: no significant difference. A line with several comparisons has their
common verdict, or *mixed* if they differ. Exceptions: a larger gain of warm-up is *confirmed* if it holds at one of the
higher peaks; a tie of shapes is *confirmed* if no two of them differ, otherwise *contradicted*. Two claims are not
tested for significance: the paper's accuracy is *confirmed* if the mean of the best family is at most 3 points lower;
that the peak matters more than the shape is *confirmed* if it explains more of the variance of random schedules.
"""
"""The rule behind the verdicts, printed above the table."""

Tests = Mapping[str, Sequence[float]]
"""Test errors by schedule, one per fresh seed, with the same seeds for all."""


class KnownResult(NamedTuple):
    """A published claim on one workload. ours: what we measured there. verdict: whether that confirms the claim."""

    claim: str
    workload: str
    ours: str
    verdict: str


class Benchmark(NamedTuple):
    """A benchmark of families, and its hand-picked configurations. arms: budget -> name -> test values.

    A lower value is better.
    """

    name: str
    studies: Sequence[StudyRecord]
    arms: Mapping[int, Tests]

    @property
    def tests(self) -> dict[int, dict[str, Sequence[float]]]:
        """Budget -> family or arm -> test values."""
        return {
            epochs: {**confirmed(own), **self.arms.get(epochs, {})} for epochs, own in by_budget(self.studies).items()
        }

    def same_seeds_at(self, budget: int, other: Benchmark, other_budget: int) -> bool:
        """Whether values of this budget pair with those of another one, or of another benchmark."""
        return seeds_of(self.studies, budget) == seeds_of(other.studies, other_budget)

    @property
    def is_error(self) -> bool:
        """Whether values are shares of rows, which are shown in points."""
        return self.studies[0].metric.unit == FRACTION_OF_ROWS

    @property
    def unit(self) -> str:
        """Of differences, as they are shown."""
        return "points" if self.is_error else self.studies[0].metric.unit

    def shown(self, value: float, sign: str = "+") -> str:
        """A difference in that unit, without it."""
        return f"{100 * value:{sign}.2f}" if self.is_error else f"{value:{sign}.3f}"

    def mean(self, gap: Sequence[float], sign: str = "+") -> str:
        """The mean of differences, likewise."""
        return self.shown(float(np.mean(gap)), sign)

    def interval(self, gap: Sequence[float]) -> str:
        """Their mean with its interval."""
        found = mean_interval(gap)
        return f"{found.points:+.2f}" if self.is_error else f"{found:+.3f}"

    def at(self, budget: int) -> str:
        """Its name, with a budget."""
        return f"{self.name}, {length_in_words(budget, self.studies[0].settings.unit)}"


def all_known(benchmarks: Sequence[Benchmark], recorded: Mapping[str, Recorded]) -> list[KnownResult]:
    """Every claim on every workload that has the data for it. recorded: random schedules, by workload."""
    claims: list[Callable[[Benchmark], Iterable[KnownResult]]] = [
        constant_loses, fixed_gamma_loses, shapes_tie, step_gains, mid_cycle_loses, warm_up_helps, accuracy
    ]  # fmt: skip
    found = [line for claim in claims for benchmark in benchmarks for line in claim(benchmark)]
    pairs = [(a, b) for a in benchmarks for b in benchmarks if b.name == a.name + WITHOUT]
    found += [line for with_warm_up, without in pairs for line in tuned_without(with_warm_up, without)]
    return found + [peak_matters(name, one) for name, one in recorded.items()]


def constant_loses(benchmark: Benchmark) -> Iterable[KnownResult]:
    """A constant learning rate loses to any decay to near zero, at every budget."""
    for epochs, tests in benchmark.tests.items():
        against = [family for family in DECAYS if family in tests and "constant" in tests]
        pairs = [gaps(tests["constant"], tests[family]) for family in against]
        if pairs:
            found = verdicts(pairs)
            means = [float(np.mean(pair)) for pair in pairs]
            low, high = (benchmark.shown(mean, "") for mean in (min(means), max(means)))
            ours = f"{found.count(CONFIRMED)} of {len(pairs)} beat it, by {low} to {high} {benchmark.unit}"
            claim = "a constant learning rate loses to decays to near zero"
            yield KnownResult(claim, benchmark.at(epochs), ours, of_all(found))


def fixed_gamma_loses(benchmark: Benchmark) -> Iterable[KnownResult]:
    """A gamma tuned for a long run loses in a short one."""
    for epochs, tests in benchmark.tests.items():
        if {"fixed gamma", "scaled gamma"} <= set(tests):
            claim = "in a shorter run, exponential decay with the gamma of the longest budget loses to a scaled gamma"
            yield loses(claim, benchmark, epochs, "fixed gamma", "scaled gamma")


def shapes_tie(benchmark: Benchmark) -> Iterable[KnownResult]:
    """Linear, cosine, polynomial and REX tie."""
    for epochs, tests in benchmark.tests.items():
        pairs = {(a, b): gaps(tests[a], tests[b]) for a, b in combinations(ALIKE, 2) if {a, b} <= set(tests)}
        if pairs:
            p_values = dict(zip(pairs, holm([wilcoxon_p(pair) for pair in pairs.values()]), strict=True))
            differ = [f"{a} and {b} ({benchmark.mean(pairs[a, b])})" for (a, b), p in p_values.items() if p < LEVEL]
            means = [float(np.mean(tests[family])) for family in ALIKE if family in tests]
            ours = f"means within {benchmark.shown(max(means) - min(means), '')} {benchmark.unit}; "
            ours += f"significant: {', '.join(differ)}" if differ else f"lowest p {min(p_values.values()):.2g}"
            claim = "linear, cosine, polynomial and REX tie"
            yield KnownResult(claim, benchmark.at(epochs), ours, CONTRADICTED if differ else CONFIRMED)


def step_gains(benchmark: Benchmark) -> Iterable[KnownResult]:
    """Step decay gets closer to linear decay as the budget grows."""
    tests = {epochs: own for epochs, own in benchmark.tests.items() if {"step", "linear"} <= set(own)}
    if len(tests) > 1 and benchmark.same_seeds_at(min(tests), benchmark, max(tests)):
        behind = {epochs: gaps(own["step"], own["linear"]) for epochs, own in tests.items()}
        unit = benchmark.studies[0].settings.unit
        ours = ", ".join(f"{benchmark.mean(gap)} at {length_in_words(epochs, unit)}" for epochs, gap in behind.items())
        claim = "step decay gains on linear decay with the budget"
        yield KnownResult(claim, benchmark.name, ours, *verdicts([gaps(behind[min(tests)], behind[max(tests)])]))


def mid_cycle_loses(benchmark: Benchmark) -> Iterable[KnownResult]:
    """Schedules that end in the middle of a cycle lose."""
    for epochs, tests in benchmark.tests.items():
        for family in ("warm_restarts", "cyclic"):
            if f"{family} ends low" in tests:
                broken, whole = f"{family} ends mid-cycle", f"{family} ends low"
                yield loses(f"{family} cut in the middle of a cycle loses", benchmark, epochs, broken, whole)


def warm_up_helps(benchmark: Benchmark) -> Iterable[KnownResult]:
    """A warm-up helps adaptive optimizers mostly at high peaks."""
    for epochs, tests in benchmark.tests.items():
        if warm_up_name(FACTORS[0], 0.0) in tests:
            gains = {f: gaps(tests[warm_up_name(f, 0.0)], tests[warm_up_name(f, WARMUP)]) for f in FACTORS}
            ours = "; ".join(f"{benchmark.interval(gain)} at {factor} x peak" for factor, gain in gains.items())
            more = [gaps(gains[factor], gains[FACTORS[0]]) for factor in FACTORS[1:]]
            found = verdicts(more)
            verdict = CONFIRMED if CONFIRMED in found else of_all(found)
            claim = "a warm-up gains more at peaks above the tuned one (AdamW)"
            yield KnownResult(claim, benchmark.at(epochs), f"gain {ours}", verdict)


def tuned_without(with_warm_up: Benchmark, without: Benchmark) -> Iterable[KnownResult]:
    """A warm-up helps, if each family is tuned with and without it."""
    for epochs, tests in without.tests.items():
        tuned = with_warm_up.tests.get(epochs, {})
        both = [family for family in tests if family in tuned]
        if both and without.same_seeds_at(epochs, with_warm_up, epochs):
            pairs = {family: gaps(tests[family], tuned[family]) for family in both}
            ours = ", ".join(f"{family} {without.mean(gap)}" for family, gap in pairs.items())
            verdict = of_all(verdicts(list(pairs.values())))
            claim = "families tuned without warm-up lose to the same families with a searched warm-up (AdamW)"
            yield KnownResult(claim, with_warm_up.at(epochs), f"by {ours} {without.unit}", verdict)


def accuracy(benchmark: Benchmark) -> Iterable[KnownResult]:
    """The published accuracies are reached."""
    published = PUBLISHED.get("-".join(benchmark.studies[0].workload.split("-")[:2]))
    for epochs, studies in by_budget(benchmark.studies).items():
        found = ranking(studies)
        if published and found:
            ours = 100 * (1 - found[0].mean.mean)
            verdict = CONFIRMED if ours >= published - MARGIN else CONTRADICTED
            claim = f"the paper's test accuracy on MNIST-1D, {published:g} %, within {MARGIN:g} points or better"
            yield KnownResult(claim, benchmark.at(epochs), f"{ours:.1f} % ({found[0].name})", verdict)


def peak_matters(workload: str, recorded: Recorded) -> KnownResult:
    """The peak matters more than the shape."""
    errors = np.array([one.mean_test for one in recorded.schedules])
    families = np.array([one.params["family"] for one in recorded.schedules])
    ranks = np.argsort(np.argsort([one.params["peak_lr"] for one in recorded.schedules], kind="stable"))
    kinds = len(set(families))
    peak, shape = explained(errors, ranks * kinds // len(errors)), explained(errors, families)
    ours = f"of the variance of {len(errors)} random schedules, peak_lr explains {peak:.0%}, the family {shape:.0%}"
    verdict = CONFIRMED if peak > shape else CONTRADICTED
    return KnownResult("peak_lr matters more than shape", workload, ours, verdict)


def loses(claim: str, benchmark: Benchmark, budget: int, worse: str, better: str) -> KnownResult:
    """A claim that one schedule loses to another. worse, better: their names, as claimed."""
    tests = benchmark.tests[budget]
    gap = gaps(tests[worse], tests[better])
    return KnownResult(claim, benchmark.at(budget), f"by {benchmark.interval(gap)}", *verdicts([gap]))


def verdicts(differences: Sequence[Sequence[float]]) -> list[str]:
    """The verdict on each claim that a set of paired differences is above 0."""
    p_values = holm([wilcoxon_p(pair) for pair in differences])
    signs = [CONFIRMED if np.mean(pair) > 0 else CONTRADICTED for pair in differences]
    return [sign if p < LEVEL else INCONCLUSIVE for sign, p in zip(signs, p_values, strict=True)]


def of_all(found: Sequence[str]) -> str:
    """The common verdict, or MIXED if they differ."""
    return found[0] if len(set(found)) == 1 else MIXED
