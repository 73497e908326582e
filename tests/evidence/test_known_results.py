"""Known results: the hand-picked configurations, the verdict on each claim, and the command from benchmark to table."""

import json
import re
from collections import Counter
from dataclasses import replace
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from search_spaces import Cosine, Cyclic, Exponential, WarmRestarts
from study.analysis.ranking import LEVEL
from study.evidence.known.fixed_schedules import Arm, cut_short, seeds_of
from study.evidence.known.known_results import (
    AGREEMENT,
    MARGIN,
    PUBLISHED,
    Benchmark,
    accuracy,
    all_known,
    constant_loses,
    fixed_gamma_loses,
    mid_cycle_loses,
    peak_matters,
    shapes_tie,
    step_gains,
    verdicts,
    warm_up_helps,
)
from study.evidence.known.known_results_page import arm_rows, kept_arms, write_arms
from study.executors.recorded_runs import About, Recorded, RecordedSchedule
from study.storage.csv_rows import read_csv
from study.storage.finals import FailedRun
from study.storage.study_record import Confirmed
from tests.example_studies import SETTINGS, study_record

SEEDS = list(range(1000, 1014))


@settings(deadline=None)  # the first call builds torch's optimizers
@given(st.integers(2, 8), st.integers(10, 200))
def test_a_cut_schedule_is_the_beginning_of_the_whole_one(parts, steps):
    for whole in (Cosine(peak_lr=0.3), Exponential(peak_lr=0.3), WarmRestarts(peak_lr=0.3)):
        cut = cut_short(whole, 1 / parts)
        assert cut.simulate(steps) == whole.simulate(parts * steps)[:steps]
        assert cut.rates(steps) == pytest.approx([lr for lr, _ in cut.simulate(steps)], rel=1e-12)


def test_cycles_are_cut_in_their_middle():
    whole, broken = WarmRestarts(peak_lr=1.0), cut_short(WarmRestarts(peak_lr=1.0), 2.5 / 3)
    assert whole.simulate(1000)[-1][0] < 1e-3
    assert broken.simulate(1000)[-1][0] == pytest.approx(0.5, abs=0.01)
    assert cut_short(Cyclic(peak_lr=1.0), 3.5 / 4).simulate(1000)[-1][0] == pytest.approx(1.0, abs=0.02)


def benchmark(confirmed, arms=None, workload="mnist1d-mlp-sgd"):
    """A benchmark with these test errors: epochs -> family -> one per seed."""
    studies = [
        study_record(
            name=f"{epochs}-{family}",
            workload=workload,
            settings=replace(SETTINGS, epochs=epochs, families=(family,)),
            confirmed=Confirmed(0, tuple(SEEDS), tuple(tests)),
        )
        for epochs, values in confirmed.items()
        for family, tests in values.items()
    ]
    return Benchmark("here", studies, arms or {})


def around(center, spread=0.01, seed=0):
    """As many errors as there are seeds."""
    return [center + spread * float(noise) for noise in np.random.default_rng(seed).standard_normal(len(SEEDS))]


def test_the_verdict_follows_the_sign_and_the_exact_test():
    clear, tiny, reverse = around(0.1, seed=1), around(0.0, seed=2), around(-0.1, seed=3)
    assert verdicts([clear, tiny, reverse]) == ["confirmed", "inconclusive", "contradicted"]
    assert stats.wilcoxon(tiny).pvalue > 0.05


def test_the_constant_rate_loses_where_it_does():
    tests = {"constant": around(0.4), "linear": around(0.3, seed=1), "cosine": around(0.39999, 0.05, seed=2)}
    [line] = constant_loses(benchmark({20: tests}))
    gaps = [100 * (mean(tests["constant"]) - mean(tests[family])) for family in ("linear", "cosine")]
    assert line.ours == f"1 of 2 beat it, by {min(gaps):.2f} to {max(gaps):.2f} points"
    assert (line.workload, line.verdict) == ("here, 20 epochs", "mixed")


def test_alike_shapes_tie_and_unlike_ones_are_named():
    alike = {"linear": around(0.3), "cosine": around(0.3, seed=1), "rex": around(0.3, seed=2)}
    assert [line.verdict for line in shapes_tie(benchmark({20: alike}))] == ["confirmed"]
    [line] = shapes_tie(benchmark({20: {**alike, "rex": around(0.5, seed=2)}}))
    assert line.verdict == "contradicted"
    assert "linear and rex (-" in line.ours


def test_step_gains_on_linear_where_the_gap_closes():
    near, far = {"step": around(0.31), "linear": around(0.3)}, {"step": around(0.4, seed=1), "linear": around(0.3)}
    [line] = step_gains(benchmark({5: far, 80: near}))
    assert line.verdict == "confirmed"
    assert re.fullmatch(r"\+\d+\.\d\d at 5 epochs, \+1\.00 at 80 epochs", line.ours)
    assert [line.verdict for line in step_gains(benchmark({5: near, 80: far}))] == ["contradicted"]
    assert not list(step_gains(benchmark({5: far}))), "one budget says nothing of it"


def test_seeds_with_which_a_run_failed_count_for_no_family():
    linear, constant = around(0.3), around(0.4, seed=1)

    def losing(name, *seeds):
        """A benchmark in which runs of linear failed with these seeds at the shorter budget."""
        whole = benchmark({5: {"linear": linear, "constant": constant}, 80: {"linear": linear, "step": constant}})
        kept = [(seed, value) for seed, value in zip(SEEDS, linear, strict=True) if seed not in seeds]
        left = Confirmed(0, *zip(*kept, strict=True), tuple(FailedRun(0, seed, "disk full") for seed in seeds))
        return whole._replace(name=name, studies=[replace(whole.studies[0], confirmed=left), *whole.studies[1:]])

    here = losing("here", SEEDS[0], SEEDS[4])
    assert seeds_of(here.studies, 5) == [*SEEDS[1:4], *SEEDS[5:]]
    [line] = constant_loses(here)
    gap = 100 * mean(
        b - a for seed, a, b in zip(SEEDS, linear, constant, strict=True) if seed in seeds_of(here.studies, 5)
    )
    assert line.ours == f"1 of 1 beat it, by {gap:.2f} to {gap:.2f} points"
    other = losing("here-no-warm-up", SEEDS[1])
    claims = [(line.claim, line.workload) for line in all_known([here, other], {}) if "without warm-up" in line.claim]
    assert [workload for _, workload in claims] == ["here, 80 epochs"], "at the other budget the seeds differ"


def test_step_is_not_followed_over_budgets_with_other_seeds():
    found = benchmark({budget: {"step": around(0.4, seed=1), "linear": around(0.3)} for budget in (5, 80)})
    assert list(step_gains(found))
    few = [
        replace(study, confirmed=Confirmed(0, tuple(SEEDS[:3]), study.confirmed.test[:3]))
        for study in found.studies[:2]
    ]
    assert not list(step_gains(found._replace(studies=[*few, *found.studies[2:]])))


def test_arms_are_compared_over_the_seeds_of_the_families(tmp_path):
    studies = benchmark({20: {"linear": around(0.3)}}).studies
    schedule = Cosine(peak_lr=0.1)
    rows = arm_rows("b", Arm("all", 20, schedule), [999, *reversed(SEEDS)], [0.9, *reversed(around(0.5))])
    write_arms(rows + arm_rows("b", Arm("few", 20, schedule), SEEDS[1:], around(0.5)[1:]), tmp_path)
    assert kept_arms(tmp_path, "b", studies) == {20: {"all": around(0.5)}}
    assert kept_arms(tmp_path, "other", studies) == {}


def test_arms_are_compared_with_what_they_change():
    arms = {
        20: {
            "fixed gamma": around(0.5),
            "scaled gamma": around(0.3, seed=4),
            "cyclic ends low": around(0.3, seed=1),
            "cyclic ends mid-cycle": around(0.2, seed=2),
            **{f"{factor} x peak, warm-up 0": around(0.3 * factor, seed=factor) for factor in (1, 4, 16)},
            **{f"{factor} x peak, warm-up 0.1": around(0.3, seed=3) for factor in (1, 4, 16)},
        }
    }
    here = benchmark({20: {"exponential": around(0.3, seed=4)}}, arms)
    assert [line.verdict for line in fixed_gamma_loses(here)] == ["confirmed"]
    assert [line.verdict for line in mid_cycle_loses(here)] == ["contradicted"]
    [line] = warm_up_helps(here)
    assert line.verdict == "confirmed"
    assert line.ours.index("at 1 x") < line.ours.index("at 4 x") < line.ours.index("at 16 x")


def test_families_tuned_without_warm_up_are_compared_with_their_like():
    with_it = benchmark({10: {"linear": around(0.3), "rex": around(0.3, seed=1)}})
    without = benchmark({10: {"linear": around(0.4, seed=2), "rex": around(0.3, 0.05, seed=3)}})
    found = all_known([with_it, without._replace(name="here-no-warm-up")], {})
    found = [line for line in found if "tuned without" in line.claim]
    assert [(line.workload, line.verdict) for line in found] == [("here, 10 epochs", "mixed")]


def test_the_paper_is_reached_or_not():
    assert [line.verdict for line in accuracy(benchmark({20: {"rex": around(0.28)}}))] == ["confirmed"]
    assert [line.verdict for line in accuracy(benchmark({20: {"rex": around(0.45)}}))] == ["contradicted"]
    assert not list(accuracy(benchmark({20: {"rex": around(0.28)}}, workload="digits-mlp-sgd")))


def test_the_rule_above_the_table_says_what_is_done():
    """Each of its sentences, against the lines of benchmarks made for it."""
    rule = " ".join(AGREEMENT.split())
    assert f"exact signed-rank test at {LEVEL}, corrected by Holm's method within a line" in rule
    assert f"at most {MARGIN:g} points lower" in rule
    better, worse = around(-0.1, seed=1), around(0.1, seed=2)

    def warm_up(*gains):
        """A benchmark in which a warm-up gains this much at each of the peaks."""
        arms = {f"{factor} x peak, warm-up 0.1": around(0.3, seed=3) for factor in (1, 4, 16)}
        arms |= {f"{f} x peak, warm-up 0": around(0.3 + g, seed=4) for f, g in zip((1, 4, 16), gains, strict=True)}
        return benchmark({20: {"linear": around(0.3)}}, {20: arms})

    assert "has their common verdict, or *mixed* if they differ" in rule
    control = {"constant": around(0.4)}
    for others, verdict in [
        ({"linear": worse, "cosine": worse}, "confirmed"),
        ({"linear": better, "cosine": worse}, "confirmed"),
        ({"linear": around(0.5), "cosine": around(0.6)}, "contradicted"),
        ({"linear": worse, "cosine": around(0.6)}, "mixed"),
    ]:
        assert [line.verdict for line in constant_loses(benchmark({20: control | others}))] == [verdict]
    assert "a larger gain of warm-up is *confirmed* if it holds at one of the higher peaks" in rule
    for gains, verdict in [
        ((0.1, 0.3, 0.1), "confirmed"),
        ((0.1, 0.3, 0.0), "confirmed"),
        ((0.3, 0.1, 0.1), "contradicted"),
    ]:
        assert [line.verdict for line in warm_up_helps(warm_up(*gains))] == [verdict]
    assert "a tie of shapes is *confirmed* if no two of them differ, otherwise *contradicted*" in rule
    for rex, verdict in [
        (around(0.3, seed=5), "confirmed"),
        (around(0.2), "contradicted"),
        (around(0.4), "contradicted"),
    ]:
        tests = {"linear": around(0.3), "cosine": around(0.3, seed=6), "rex": rex}
        assert [line.verdict for line in shapes_tie(benchmark({20: tests}))] == [verdict]
    assert "the paper's accuracy is *confirmed* if the mean of the best family is" in rule
    for lower, verdict in [(2.99, "confirmed"), (3.01, "contradicted")]:
        errors = [1 - (PUBLISHED["mnist1d-mlp"] - lower) / 100 + gap for gap in (0.2, -0.2)]
        tests = {"rex": errors * 7, "step": around(0.9)}
        assert [line.verdict for line in accuracy(benchmark({20: tests}))] == [verdict], "however the seeds differ"
    assert "if it explains more of the variance of random schedules" in rule
    for by_peak, verdict in [(True, "confirmed"), (False, "contradicted")]:
        drawn = [("rex" if n % 2 else "wsd", 0.01 * (1 + (n * 7) % 40)) for n in range(40)]
        schedules = [
            RecordedSchedule({"family": family, "peak_lr": peak}, {}, [peak if by_peak else float(family == "rex")])
            for family, peak in drawn
        ]
        assert peak_matters("here", Recorded(About({}, [], {}), schedules)).verdict == verdict


@pytest.mark.slow
def test_from_a_benchmark_to_the_table_and_again_without_training(command, tmp_path):
    families = ("constant", "linear", "exponential", "warm_restarts", "cyclic")
    flags = ("--dataset", "digits", "--optimizer", "adamw", "--least-steps", 1, "--families", *families)
    budget = ("--epochs", 2, 4, "--trials-per-family", 2, "--confirm-seeds", 2, "--engine", "loop")
    assert command("evidence/known_results.py").err.startswith(
        "error: results holds no report of a benchmark: make one with"
    )
    assert command("benchmark.py", *flags, *budget).code == 0
    assert command("report.py", "--study", "benchmark-digits-mlp-adamw").code == 0
    result = command("evidence/known_results.py", "--cohort", 2)
    assert (result.code, result.err) == (0, "")
    rows = read_csv(tmp_path / "results/known/arms.csv")
    names = Counter((row["epochs"], row["arm"]) for row in rows)
    assert set(names.values()) == {2}, "each arm over both seeds"
    assert {row["seed"] for row in rows} == {"1000", "1001"}
    assert len(names) == 2 + 4 + 6, (
        "fixed and scaled gamma at the shorter budget, and there, as it is the middle one, cycles and warm-ups"
    )
    page = (tmp_path / "results/known/known.md").read_text()
    assert page.count("cut in the middle of a cycle loses | digits-mlp-adamw, 2 epochs") == 2
    again = command("evidence/known_results.py", "--cohort", 2)
    assert again.out.startswith("benchmark-digits-mlp-adamw: 12 arms kept\n#"), "nothing is trained"
    assert len(json.loads((tmp_path / "results/known/manifest.json").read_text())) == 1
    assert read_csv(tmp_path / "results/known/arms.csv") == rows
    (tmp_path / "results/known/known.md").unlink()
    assert command("evidence/known_results.py", "--rebuild").code == 0
    assert (tmp_path / "results/known/known.md").read_text() == page
    manifest = tmp_path / "results/benchmark-digits-mlp-adamw/manifest.json"
    kept = json.loads(manifest.read_text())
    for study in kept:
        del study["attributes"]["confirmed"]
    manifest.write_text(json.dumps(kept))
    unfinished = command("evidence/known_results.py")
    assert (unfinished.code, unfinished.err) == (0, "")
    assert "digits-mlp-adamw" not in unfinished.out, "nothing is said of what is not confirmed"
