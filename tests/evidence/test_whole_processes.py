"""Whole processes: the stages of what was printed, the page, and a real small race."""

import pytest

from study.evidence.speed.whole_processes import REST, STAGES, TUTORIAL, page, raced_commands, stages_of, timed_process


def test_the_stages_end_with_their_lines():
    lines = [(1.0, "Study 'x'\n"), (1.5, "Engine: loop\n"), (2.0, "1 epoch\n"), (4.0, "9/9 epochs, 3/3 trials, done\n")]
    found = stages_of([*lines, (7.0, "The schedule in PyTorch:\n")], 7.5)
    assert list(found.values()) == [1.0, 0.5, 2.5, 3.0, 0.5]
    assert list(found) == [*STAGES, REST]


def test_the_page_compares_the_least_times():
    seconds = {TUTORIAL: [80.0, 70.0], "search.py": [10.0, 12.0]}
    said = page(seconds, {"before": {"searching": 4.0}, "search.py": {"searching": 3.0}}, 50)
    assert "| stage | before | search.py |" in said
    assert "| searching | 4.0 | 3.0 |" in said
    assert "| confirming | - | - |" in said
    assert f"| {TUTORIAL} | 70.0 | 80.0, 70.0 | 1.0 |" in said
    assert "| search.py | 10.0 | 10.0, 12.0 | 7.0 |" in said


@pytest.mark.slow
def test_a_real_race():
    commands = raced_commands(1)
    del commands["search.py"]  # as the one before it, but its answer is confirmed, which takes most of its time
    for name, arguments in commands.items():
        seconds, stages = timed_process(arguments)
        assert sum(stages.values()) == pytest.approx(seconds)
        assert (len(stages) == 1) == (name == TUTORIAL)
    with pytest.raises(RuntimeError, match="ended with exit code 2"):
        timed_process(["scripts/search.py", "--trials", "0"])
