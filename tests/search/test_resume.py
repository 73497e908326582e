"""Real processes: killed with -9 at several moments, interrupted, two at once."""

import signal
import time

import optuna
import pytest
from optuna.trial import TrialState

from tests.helpers import finished, start
from tests.processes import ARGUMENTS, wait_until_training

pytestmark = pytest.mark.slow


def trials_of(folder):
    return optuna.load_study(study_name="killed", storage=f"sqlite:///{folder / 'results' / 'studies.db'}").get_trials()


@pytest.mark.parametrize(("trials_per_batch", "engine"), [(1, "loop"), (10, "lockstep")])
def test_a_killed_search_holds_what_one_left_alone_holds(
    trials_per_batch, engine, folder, tmp_path_factory, command, monkeypatch
):
    """Two that end in this process: one that goes on after the kills, and one that nobody kills."""
    arguments = [
        *ARGUMENTS,
        "--trials",
        24,
        "--startup-trials",
        5,
        "--trials-per-batch",
        trials_per_batch,
        "--engine",
        engine,
    ]
    killed = 0
    for number, done in enumerate((0, 8, 17), start=1):
        process = start("search.py", *arguments, cwd=folder)
        wait_until_training(process, folder, done, number)
        time.sleep(0.005 * done)  # another moment of a batch each time
        killed += process.poll() is None
        process.kill()
        process.communicate()
    assert killed >= 2, "the searches ended before they could be killed"
    alone = tmp_path_factory.mktemp("alone")
    for place in (folder, alone):
        monkeypatch.chdir(place)
        ended = command("search.py", *arguments)
        assert ended.code == 0, ended.err
    trials = trials_of(folder)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}, "nothing is left behind"
    assert len(finished(trials)) == 24
    assert finished(trials) == finished(trials_of(alone))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_ends_cleanly(how, folder):
    process = start("search.py", *ARGUMENTS, "--trials", 500, cwd=folder)
    wait_until_training(process, folder, 50, 1)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith("Interrupted: everything finished is kept; the same command continues the search.\n")
    assert "Winner: " in said
    assert "python scripts/dashboard.py" in said
    assert "Traceback" not in said
    trials = trials_of(folder)
    assert len(finished(trials)) >= 50
    assert TrialState.RUNNING not in {trial.state for trial in trials}


def test_a_second_search_of_the_same_study_is_told(folder, command):
    first = start("search.py", *ARGUMENTS, "--trials", 500, cwd=folder)
    wait_until_training(first, folder, 0, 1)
    second = command("search.py", *ARGUMENTS, "--trials", 500)
    first.kill()
    first.communicate()
    assert second.code == 2
    assert f"study 'killed' is being searched by process {first.pid}" in second.err
