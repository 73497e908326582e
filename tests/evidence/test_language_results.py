"""Claims on language models: which schedules they compare, and what follows from values that are known."""

from dataclasses import replace
from statistics import mean

import numpy as np

from search_spaces import WSD, Cosine, Linear
from study.evidence.known.fixed_schedules import hand_set
from study.evidence.known.known_results import Benchmark
from study.evidence.known.language_results import language_results
from study.objective import Metric
from study.search.reference import params_of
from study.storage.study_record import Confirmed
from tests.example_studies import SETTINGS, TRIAL, study_record

SEEDS = tuple(range(1000, 1012))
TUNED = {
    "linear": Linear(peak_lr=0.01, warmup_fraction=0.05, end_ratio=0.2),
    "cosine": Cosine(peak_lr=0.01, warmup_fraction=0.05, t_max_fraction=0.7, floor_ratio=0.2),
    "wsd": WSD(peak_lr=0.01, warmup_fraction=0.05, cooldown_fraction=0.5),
}
BITS = Metric("bits_per_byte", "minimize", "bits per byte", 8.0)


def around(center, seed=0):
    return [center + 0.005 * float(noise) for noise in np.random.default_rng(seed).standard_normal(len(SEEDS))]


def language_benchmark(confirmed, arms=None, model="gpt:tiny"):
    """steps -> family -> bits per byte by seed."""
    studies = []
    for steps, values in confirmed.items():
        for family, tests in values.items():
            settings = replace(SETTINGS, model=model, epochs=steps, budgets=(steps,), families=(family,), unit="steps")
            params = params_of(TUNED[family]) if family in TUNED else {"family": family, "peak_lr": 0.01}
            trial = replace(TRIAL, params=params, reported={steps: 3.0}, epochs_used={steps: float(steps)})
            own = Confirmed(0, SEEDS, tuple(tests))
            studies.append(study_record([trial], name=family, settings=settings, metric=BITS, confirmed=own))
    return Benchmark("text", studies, arms or {})


def test_the_schedules_are_those_of_the_claims_at_the_tuned_peaks():
    of = {"linear": around(2.0), "cosine": around(2.0), "wsd": around(2.0)}
    at = {"peak_lr": 0.01, "warmup_fraction": 0.05}
    arms = {arm.name: arm.schedule for arm in hand_set(language_benchmark({500: of}).studies) if arm.epochs == 500}
    assert arms["linear to zero"] == Linear(**at)
    assert arms["cosine to a tenth"] == Cosine(floor_ratio=0.1, **at)
    assert arms["cosine to a tenth"].rates(10_000)[-1] < 0.1001 * 0.01
    assert arms["wsd, 1-sqrt over 0.025"] == WSD(cooldown_fraction=0.025, shape="1-sqrt", **at)
    assert arms["wsd, linear over 0.2"] == WSD(cooldown_fraction=0.2, shape="linear", **at)
    assert "linear to zero" not in {arm.name for arm in hand_set(language_benchmark({500: of}, model="mlp").studies)}


def test_each_claim_has_its_verdict_in_bits():
    arms = {
        "linear to zero": around(2.0),
        "cosine to a tenth": around(2.1, seed=1),
        "wsd, 1-sqrt over 0.025": around(2.2, seed=2),
        "wsd, 1-sqrt over 0.1": around(2.2, seed=3),
        "wsd, 1-sqrt over 0.2": around(2.05, seed=4),
        "wsd, linear over 0.2": around(2.0, seed=5),
    }
    families = {"cosine": around(2.0, seed=6), "schedule_free": around(1.9, seed=7)}
    found = {one.claim: one for one in language_results([language_benchmark({500: families}, {500: arms})])}
    verdicts = {claim.partition(" (")[0]: one.verdict for claim, one in found.items()}
    assert verdicts == {
        "a cosine to a tenth of the peak loses to linear decay to zero": "confirmed",
        "a cool-down over 2.5 % of the run loses to one over 10 %": "inconclusive",
        "a linear cool-down loses to a 1-sqrt one": "contradicted",
        "a tuned cosine loses to schedule-free": "confirmed",
        "a tuned cosine loses to a cool-down over 20 %": "contradicted",
    }
    line = found["a cosine to a tenth of the peak loses to linear decay to zero (Bergsma 2025)"]
    gap = mean(arms["cosine to a tenth"]) - mean(arms["linear to zero"])
    assert line.workload == "text, 500 steps"
    assert line.ours.startswith(f"by {gap:+.3f} [")


def test_a_gain_that_grows_with_the_budget():
    def arms(gap, seed):
        return {"linear to zero": around(2.0, seed), "cosine to a tenth": around(2.0 + gap, seed + 1)}

    own = {"linear": around(2.0)}
    grows = language_benchmark({500: own, 2000: own}, {500: arms(0.01, 0), 2000: arms(0.2, 5)})
    [*_, line] = language_results([grows])
    assert line.verdict == "confirmed"
    assert line.claim.startswith("linear decay to zero gains on a cosine to a tenth with the budget")


def test_a_constant_rate_with_averaged_weights_against_a_decay_without():
    raw = language_benchmark({500: {"linear": around(2.0), "constant": around(2.5, seed=1)}})
    averaged = language_benchmark({500: {"linear": around(3.0), "constant": around(2.1, seed=2)}})
    assert "averaged" not in str(list(language_results([raw, averaged])))
    [line] = language_results([raw, averaged._replace(name="text-ema")])
    assert line.claim.startswith("a constant learning rate with averaged weights loses to linear decay")
    assert (line.workload, line.verdict) == ("text, 500 steps", "confirmed")
    assert line.ours.startswith("by +0.1")
