"""The command of a run: what cannot be typed, and what its placeholders need."""

import pytest

from search_spaces import InputError
from study.training.command_line import CommandLine
from study.training.declaration import Declaration
from study.training.first_run import first_runs
from study.training.user_script import UserScript
from tests.own_scripts import REPORTS, reported


@pytest.mark.parametrize(
    ("program", "arguments", "said"),
    [
        ("", "{epochs} {seed} {epoch}", "unknown placeholder 'epoch' in --command: did you mean 'epochs'?"),
        ("", "{epochs} {", "--command cannot be read (Single '{' encountered in format string): write {{ for"),
        ("", "{epochs} 'x", "--command cannot be read (No closing quotation)"),
        ("", "{seed} {peak_lr}", "--command must name {epochs}, the length of the run"),
        ("", "{steps} {seed}", "--command must name {epochs}, the length of the run, or give --steps"),
        ("", "{epochs} {total_steps}", "{total_steps} is not known if budgets count epochs: give --steps"),
        ("", "{epochs} {peak_lr}", "the script ended without an evaluation: call study.script.report(value). Its last"),
        ("from study.script import report; report(1.0)", "{epochs}", "the script never called study.script.scheduler("),
    ],
)
def test_a_command_that_cannot_be(script, program, arguments, said):
    with pytest.raises(InputError) as raised:
        reported(script(program, arguments))
    assert said in str(raised.value)


def test_a_command_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="--command cannot be run: pithon: No such file or directory"):
        reported(UserScript(CommandLine("pithon train.py {epochs}"), tmp_path))
    with pytest.raises(InputError, match="--command is empty"):
        CommandLine("  ")


def test_a_peak_that_a_command_names_must_be_known(script):
    with pytest.raises(InputError, match="so give the range of the peak: --peak-lr LOW HIGH"):
        first_runs(script(REPORTS), Declaration(), "epochs", 3)
    found = first_runs(script(REPORTS), Declaration(peak_lr=(0.01, 1.0)), "epochs", 3)
    assert (found.metric, found.steps, found.seen) == ("error", 100, False)
    ignores = REPORTS.replace("epoch * peak_lr", "epoch")
    with pytest.raises(
        InputError, match="the schedule does not reach your optimizer: peaks 0.01 and 0.1 give the same"
    ):
        first_runs(script(ignores), Declaration(peak_lr=(0.01, 1.0)), "epochs", 3)
