"""The benchmark of `Schedule.rates`: what it counts, and the speed that is promised."""

import pytest

from search_spaces import FAMILIES, Cosine
from study.evidence.speed.rates import TimedCurve, table_of_curves, time_curve


def test_a_line_says_how_many_times_as_fast():
    table = table_of_curves([TimedCurve(Cosine(peak_lr=1.0, warmup_fraction=0.1), 0.004, 0.00002)])
    assert table.splitlines()[2] == "| cosine | 10% | 4.00 | 0.020 | 200 |"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_rates_are_twenty_times_as_fast_as_stepping(family):
    """In a run of 2,000 steps; a busy machine may need another try."""
    assert max(time_curve(family(peak_lr=0.1), 2000, rounds=5).ratio for _ in range(3)) > 20


def test_the_benchmark_has_every_family(command):
    result = command("evidence/benchmark_rates.py", "--total-steps", 10, "--rounds", 1)
    assert result.code == 0, result.err
    families = [line.split("|")[1].strip() for line in result.out.splitlines()[2:]]
    assert families == [*FAMILIES, *(name for name, family in FAMILIES.items() if not family.has_own_warmup)]
