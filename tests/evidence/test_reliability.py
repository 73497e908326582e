"""The storms: what they count, and small ones of each; `scripts/evidence/reliability.py` has the large ones."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import islice

import pytest

from study.evidence.reliability.commands import (
    MESSAGE,
    RESULT,
    TRACEBACK,
    Outcome,
    ended,
    heed_interrupts,
    run_here,
    said_by,
)
from study.evidence.reliability.damage import OTHER, SAME, Case, damaged_databases, kind_of
from study.evidence.reliability.killed_at import counting
from study.evidence.reliability.kills import SETUPS, Kill, KilledReport, Resumed, kill_storm
from study.evidence.reliability.page import killed_heading, reliability_page
from study.evidence.reliability.side_by_side import one_after_another
from study.evidence.reliability.together import Together
from tests.helpers import ROOT


def test_outcomes_are_told_apart():
    assert Outcome.of(0, "code", "").kind == RESULT
    assert Outcome.of(2, "", "error: the records are damaged\n").kind == MESSAGE
    assert Outcome.of(2, "", "error: one\nand another line\n").kind == TRACEBACK
    assert Outcome.of(1, "", "Traceback ...\n").kind == TRACEBACK
    assert run_here("export.py", "--study", "s", "--storage", "nonsense").kind == MESSAGE
    wanted = Outcome(RESULT, "code", "")
    assert kind_of(Outcome(RESULT, "code", ""), wanted) == SAME
    assert kind_of(Outcome(RESULT, "other code", ""), wanted) == OTHER
    assert kind_of(Outcome(MESSAGE, "", "error: x\n"), wanted) == MESSAGE


def test_a_statement_is_counted_once():
    acted = []
    count = counting(3, lambda: acted.append(1))
    assert [count() or len(acted) for _ in range(5)] == [0, 0, 1, 1, 1]


def test_the_page_counts():
    kills = (Kill("median", "SIGKILL", "statement 7", True), Kill("median", "SIGINT", "after 1.00 s", False))
    resumed = [Resumed("median", kills, ""), Resumed("median", kills[:1], "another study")]
    cases = [Case("bytes [1]", "export", MESSAGE, ""), Case("bytes [2]", "export", SAME, "")]
    reports = [KilledReport("SIGKILL", True, ""), KilledReport("SIGKILL", True, "report.md")]
    text = reliability_page(resumed, reports, cases, Together(8, 8, 70, 0, 30.0, ()))
    assert "| median | 2 | 2 | 0 | 0 | 2 | 2 | 1 |" in text
    assert "2 reports were killed while they ran. After 1 of these kills" in text
    assert "| export | 1 | 1 | 0 | 0 |" in text
    assert "8 of 8 searches" in text


@pytest.mark.parametrize(
    ("setups", "kinds"),
    [
        (["median", "two workers"], "Searches"),
        (["a benchmark"], "Benchmarks"),
        (["median", "a benchmark"], "Searches and benchmarks"),
    ],
)
def test_the_page_names_only_what_was_killed(setups, kinds):
    resumed = [Resumed(setup, (Kill(setup, "SIGKILL", "statement 7", True),), "") for setup in setups]
    assert f"\n## {kinds} that are killed\n" in reliability_page(resumed, [], [], Together(8, 8, 70, 0, 30.0, ()))


def test_the_committed_page_names_only_what_was_killed():
    resumed = [Resumed(**one) for one in json.loads((ROOT / "results/reliability.json").read_text())["resumed"]]
    assert f"\n{killed_heading(resumed)}\n" in (ROOT / "results/reliability.md").read_text()


def test_no_process_outlives_its_context():
    def sleeping():
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    one, other = sleeping(), sleeping()
    with pytest.raises(subprocess.TimeoutExpired):
        said_by(one, 0.1)
    with pytest.raises(KeyboardInterrupt), ended([other]):
        raise KeyboardInterrupt
    assert [one.returncode, other.returncode] == [-signal.SIGKILL, -signal.SIGKILL]


def test_several_at_a_time_come_in_the_order_of_their_numbers():
    begun = []

    def slow_at_first(number):
        begun.append(number)
        time.sleep(0.2 if number == 0 else 0.0)
        return number

    assert list(islice(one_after_another(slow_at_first, 3), 5)) == [0, 1, 2, 3, 4]
    assert set(begun[:3]) == {0, 1, 2}
    assert max(begun) < 5 + 3


def test_the_processes_of_a_storm_heed_interrupts_that_are_ignored_in_the_background():
    ignores = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        said = [subprocess.check_output([sys.executable, "-c", ignores], text=True).strip()]
        heed_interrupts()
        said += [subprocess.check_output([sys.executable, "-c", ignores], text=True).strip()]
    finally:
        signal.signal(signal.SIGINT, before)
    assert said == ["True", "False"]


@pytest.mark.slow
def test_damaged_databases_give_a_message_or_a_result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cases = list(damaged_databases(tmp_path, 8, seed=1, processes=2))
    found = Counter(case.kind for case in cases)
    assert found[TRACEBACK] == 0, [case for case in cases if case.kind == TRACEBACK]
    assert found[MESSAGE] > 0
    assert found[SAME] > 0


@pytest.mark.slow
def test_a_small_storm_of_kills(tmp_path):
    resumed = list(kill_storm(tmp_path, 1, 0, (SETUPS[2],)))
    assert [one.problem for one in resumed] == ["" for _ in resumed]
