"""Known schedules: exported from one study and tried first by another."""

import json
import shlex
from dataclasses import replace

import optuna
import pytest

from search_spaces import FAMILIES, InputError, from_params
from search_spaces.schedule_file import as_params
from study.assembly import opened
from study.executors.options import ExecutorOptions
from study.search.enqueue import read_known
from tests.drawing import COSINE, REX, among
from tests.helpers import LOCKSTEP, LOOP, SMALL, finished, open_small, run_search, small_plan, start
from tests.processes import ARGUMENTS, wait_until_training


def test_files_that_cannot_be_read_are_told(tmp_path, storage):
    for content, said in (
        (None, "cannot read "),
        ("{", "is not valid JSON"),
        ("\xff", "is not valid JSON"),
        ('[{}, {"a": 1}]', ""),
    ):
        path = tmp_path / "known.json"
        if content is not None:
            path.write_bytes(content.encode("latin-1"))
        with pytest.raises(InputError, match=said or "known.json, schedule 1: a schedule needs the key 'family'"):
            read_known([str(path)], storage, among(["rex"]))
    with pytest.raises(InputError, match="there is no database"):
        read_known(["study:small"], storage, among(["rex"]))


KNOWN = [as_params(written, "here", among(list(FAMILIES))) for written in (COSINE, REX, COSINE)]


def run_with_known(storage, workload, trials, configuration=SMALL, engine=LOOP, steps=None):
    """Search from KNOWN on, as scripts/search.py does; steps: leave after this many evaluations."""
    plan = small_plan(storage, workload, configuration)
    plan = replace(plan, record=plan.record | {"enqueued": KNOWN}, known=KNOWN)
    with opened(plan, ExecutorOptions(), engine) as study:
        for number, _ in enumerate(study.search(trials)):
            if number == steps:
                break
        return study.optuna_study.get_trials()


def asked(trials):
    """The parameters of each trial, in the order of asking."""
    places = [trial.user_attrs["record"]["place"] for trial in trials]
    order = sorted(range(len(trials)), key=lambda i: (places[i]["generation"], places[i]["position"]))
    return [trials[i].params for i in order]


@pytest.mark.parametrize(("sampler", "pruner"), [("tpe", "horizon"), ("gp", "horizon"), ("qmc", "hyperband")])
def test_known_schedules_are_the_first_trials(sampler, pruner, storage, tmp_path, workload):
    configuration = replace(SMALL, sampler=sampler, pruner=pruner, startup_trials=5)
    whole = run_with_known(storage, workload, 15, configuration)
    assert asked(whole)[:3] == KNOWN
    assert KNOWN[1] not in asked(whole)[3:]
    again = run_with_known(f"sqlite:///{tmp_path / 'again.db'}", workload, 15, configuration)
    assert finished(again) == finished(whole), "the same seed and the same schedules, the same study"


def test_known_schedules_outlast_a_bracket(storage, workload):
    """Two trials are a generation of their own: the third schedule begins the next."""
    run_with_known(storage, workload, 2)
    assert asked(run_with_known(storage, workload, 6))[:3] == KNOWN


@pytest.mark.parametrize(("engine", "steps"), [(LOOP, 1), (LOOP, 30), (LOCKSTEP, 8)], ids=str)
def test_a_stop_changes_nothing(engine, steps, storage, tmp_path, workload):
    left_alone = run_with_known(f"sqlite:///{tmp_path / 'alone.db'}", workload, 15, engine=engine)
    run_with_known(storage, workload, 15, engine=engine, steps=steps)
    assert finished(run_with_known(storage, workload, 15, engine=engine)) == finished(left_alone)


def test_a_study_keeps_to_what_it_began_with(storage, workload):
    run_with_known(storage, workload, 3)
    with pytest.raises(InputError, match="other --enqueue schedules: give the same again"):
        open_small(storage, workload).__enter__()


def test_the_round_trip_as_typed(command, tmp_path):
    digits = "--dataset digits --epochs 4 --rung-fractions 0.25 --least-steps 1"
    first = command("search.py", *shlex.split(f"{digits} --trials 6 --study first --reference none"))
    assert first.code == 0, first.err
    exported = command("export.py", "--study", "first", "--format", "json", "--output", "winner.json")
    assert (exported.code, exported.out, exported.err) == (0, "", "")
    written = json.loads((tmp_path / "winner.json").read_text())
    trial = optuna.load_study(study_name="first", storage="sqlite:///results/studies.db").trials
    won = trial[written["provenance"]["trial"]]
    assert from_params(won.params) == from_params(as_params(written, "", among(list(FAMILIES))))
    assert written["provenance"]["validation"]["value"] == won.value
    (tmp_path / "two.json").write_text(json.dumps([REX, COSINE]))
    second = command(
        "search.py", *shlex.split(f"{digits} --trials 4 --study second --enqueue winner.json two.json study:first")
    )
    assert second.code == 0, second.err
    family = written["family"]
    assert f"Known schedules, tried first: {family}, rex, cosine, {family}\n" in second.out
    trials = optuna.load_study(study_name="second", storage="sqlite:///results/studies.db").trials
    assert [params["family"] for params in asked(trials)] == [family, "rex", "cosine", family]
    assert asked(trials)[0] == asked(trials)[3] == won.params
    too_few = command("search.py", *shlex.split(f"{digits} --trials 1 --study third --enqueue two.json"))
    assert too_few.code == 2
    assert too_few.err == "error: --trials must be at least 2, to try what is enqueued, but 1 was given\n"


@pytest.mark.slow
def test_a_killed_search_goes_on_from_known_schedules(folder, tmp_path_factory):
    alone = tmp_path_factory.mktemp("alone")
    for place in (folder, alone):
        (place / "results").mkdir(exist_ok=True)
        (place / "known.json").write_text(json.dumps([COSINE, REX]))
    arguments = [*ARGUMENTS, "--trials", 12, "--engine", "loop", "--enqueue", "known.json"]
    process = start("search.py", *arguments, cwd=folder)
    wait_until_training(process, folder, 0, 1)
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.communicate()
    for place in (folder, alone):
        said, _ = (last := start("search.py", *arguments, cwd=place)).communicate(timeout=200)
        assert last.returncode == 0, said
    of = {place: optuna.load_study(study_name="killed", storage=f"sqlite:///{place}/results/studies.db").trials
          for place in (folder, alone)}  # fmt: skip
    assert finished(of[folder]) == finished(of[alone])
    assert asked(of[folder])[0]["family"] == "cosine"


def test_a_winner_of_nothing_is_told(storage, workload):
    wild = replace(workload, peak_lr=(1e20, 1e21))
    run_search(storage, wild, 2)
    with pytest.raises(InputError, match="study:small: no trial of 'small' has finished a full run yet"):
        read_known(["study:small"], storage, among(["rex"]))
