"""Known schedules: out of a study as JSON and into another, and every way of writing them wrongly."""

import json
import shlex
from dataclasses import replace
from functools import partial

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import FAMILIES, Cosine, InputError, from_params, suggest
from search_spaces.schedule_file import as_params, as_written
from search_spaces.space_file import read_space
from study.search.enqueue import read_known
from study.search.search import search
from study.storage.provenance import provenance
from study.storage.studies import open_study
from tests.drawing import PEAK_LR, DrawingTrial, every_family, properties
from tests.helpers import LOCKSTEP, LOOP, SMALL, finished, open_small, run_search, start
from tests.processes import ARGUMENTS, wait_until_training

REX = {"family": "rex", "peak_lr": 0.1, "parameters": {"warmup_fraction": 0.0}}
COSINE = {
    "family": "cosine",
    "peak_lr": 0.2,
    "parameters": {"warmup_fraction": 0.05, "t_max_fraction": 1, "floor_ratio": 0},
}


def among(families):
    """Draws a schedule of these families."""
    return partial(suggest, families=families, peak_lr=PEAK_LR)


@every_family
@properties
@given(data=st.data())
def test_what_was_written_gives_the_parameters_back(family, data):
    trial = DrawingTrial(data)
    schedule = suggest(trial, [family], PEAK_LR)
    params = {**trial.params, "family": family}
    written = json.loads(json.dumps(as_written(params)))
    given_back = as_params(written, "here", among(list(FAMILIES)))
    assert from_params(given_back) == schedule
    # Not always the same parameters: a range that reaches an exact value gives two ways to draw it, a file one.
    assert json.loads(json.dumps(as_written(given_back))) == written
    assert as_params(written, "here", among([family])) == given_back


def test_numbers_may_be_written_as_people_do():
    params = as_params(COSINE, "here", among(["cosine"]))
    assert params == {
        "family": "cosine",
        "peak_lr": 0.2,
        "warmup_fraction_is_0": False,
        "warmup_fraction": 0.05,
        "cosine.t_max_fraction_is_1": True,
        "cosine.floor_ratio_is_0": True,
    }
    assert from_params(params) == Cosine(peak_lr=0.2, warmup_fraction=0.05)


def changed(schedule, **parameters):
    return {**schedule, "parameters": {**schedule["parameters"], **parameters}}


CYCLIC = {"cycles": 3, "base_ratio": 0.1, "mode": "triangular", "cycle_momentum": True}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (1, "a schedule is an object with family, peak_lr and parameters, but 1 was given"),
        ({"family": "rex"}, "a schedule needs the key 'peak_lr'"),
        ({**REX, "peak": 1}, "unknown key 'peak': did you mean 'peak_lr'"),
        ({**REX, "family": "rexx"}, "unknown family 'rexx': did you mean 'rex'"),
        ({**REX, "family": ["rex"]}, "unknown family \"['rex']\""),
        ({**REX, "family": "step"}, "family 'step' is not searched here: add it to --families"),
        ({**REX, "parameters": [0.0]}, "parameters must be an object of names and values"),
        ({**REX, "peak_lr": 5.1}, "peak_lr must be from 1e-05 to 5, but 5.1 was given"),
        ({**REX, "peak_lr": float("nan")}, "peak_lr must be from 1e-05 to 5, but nan was given"),
        ({**REX, "peak_lr": "0.1"}, "peak_lr must be from 1e-05 to 5, but '0.1' was given"),
        ({**REX, "peak_lr": True}, "peak_lr must be from 1e-05 to 5, but True was given"),
        ({**REX, "parameters": {}}, "rex needs the parameter 'warmup_fraction'"),
        (changed(REX, power=2.0), "rex takes no parameter 'power' here; it takes warmup_fraction"),
        (changed(REX, warmup_fraction=0.3), "warmup_fraction must be 0 or from 0.005 to 0.2, but 0.3 was given"),
        (changed(COSINE, t_max_fraction=0.6), "floor_ratio must be from 0.0001 to 0.3, but 0 was given"),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "warmup_fraction": 0.1}},
            "cyclic takes no parameter 'warmup_fraction' here; it takes cycles, base_ratio, mode, cycle_momentum",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "cycles": 2.5}},
            "cycles must be a whole number from 2 to 8, but 2.5 was given",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "mode": "triangle"}},
            'mode must be one of "triangular", "triangular2", "exp_range", but \'triangle\' was given',
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "cycle_momentum": 1}},
            "cycle_momentum must be one of true, false, but 1 was given",
        ),
        (
            {"family": "cyclic", "peak_lr": 1, "parameters": {**CYCLIC, "mode": "exp_range"}},
            "cyclic needs the parameter 'end_amplitude'",
        ),
    ],
)
def test_what_is_wrong_is_said(written, said):
    with pytest.raises(InputError) as caught:
        as_params(written, "my.json", among(["rex", "cosine", "cyclic"]))
    assert str(caught.value).startswith(f"my.json: {said}")


def test_files_that_cannot_be_read_are_refused(tmp_path, storage):
    for content, said in (
        (None, "cannot read "),
        ("{", "is not JSON"),
        ("\xff", "is not JSON"),
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
    """Search from KNOWN on, as scripts/search.py does; steps: leave after this evaluation, counted from 0."""
    resolved = configuration.resolved(workload) | {"enqueued": KNOWN}
    with open_study(storage, "small", resolved, workload.attributes(), provenance(workload.device)) as optuna_study:
        for number, _ in enumerate(search(optuna_study, workload, configuration, engine, trials)):
            if number == steps:
                break
        return optuna_study.get_trials()


def asked(trials):
    """The parameters of each trial, in the order of asking."""
    places = [trial.user_attrs["record"]["place"] for trial in trials]
    order = sorted(range(len(trials)), key=lambda i: (places[i]["generation"], places[i]["position"]))
    return [trials[i].params for i in order]


@pytest.mark.parametrize("sampler", ["tpe", "gp", "qmc"])
@pytest.mark.parametrize("pruner", ["horizon", "hyperband"])
def test_known_schedules_are_the_first_trials(sampler, pruner, storage, tmp_path, workload):
    configuration = replace(SMALL, sampler=sampler, pruner=pruner, startup_trials=5)
    whole = run_with_known(storage, workload, 15, configuration)
    assert asked(whole)[:3] == KNOWN
    assert KNOWN[1] not in asked(whole)[3:]
    again = run_with_known(f"sqlite:///{tmp_path / 'again.db'}", workload, 15, configuration)
    assert finished(again) == finished(whole), "the same seed and the same schedules, the same study"


def test_known_schedules_outlast_a_generation(storage, workload):
    """Two trials are a generation of their own: the third schedule begins the next."""
    run_with_known(storage, workload, 2)
    assert asked(run_with_known(storage, workload, 6))[:3] == KNOWN


@pytest.mark.parametrize("engine", [LOOP, LOCKSTEP], ids=["loop", "lockstep"])
@pytest.mark.parametrize("steps", [1, 8, 30])
def test_a_stop_changes_nothing(engine, steps, storage, tmp_path, workload):
    left_alone = run_with_known(f"sqlite:///{tmp_path / 'alone.db'}", workload, 15, engine=engine)
    run_with_known(storage, workload, 15, engine=engine, steps=steps)
    assert finished(run_with_known(storage, workload, 15, engine=engine)) == finished(left_alone)


def test_a_study_keeps_to_what_it_began_with(storage, workload):
    run_with_known(storage, workload, 3)
    with pytest.raises(InputError, match="other schedules to begin with: give it the same --enqueue again"):
        open_small(storage, workload).__enter__()


def test_the_round_trip_as_typed(command, tmp_path):
    digits = "--dataset digits --epochs 4 --rung-fractions 0.25 --least-updates 1"
    first = command("search.py", *shlex.split(f"{digits} --trials 6 --study first"))
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


def test_a_study_without_a_winner_is_refused(storage, workload):
    wild = replace(workload, peak_lr=(1e20, 1e21))
    run_search(storage, wild, 2)
    with pytest.raises(InputError, match="study:small: no trial of 'small' has run to its end yet"):
        read_known(["study:small"], storage, among(["rex"]))


def test_what_the_space_fixes_may_be_written_down_but_not_changed():
    fixed = partial(suggest, families=["rex"], peak_lr=PEAK_LR, ranges=read_space("no-warm-up").ranges)
    assert as_params(REX, "here", fixed) == {"family": "rex", "peak_lr": 0.1, "warmup_fraction": 0.0}
    with pytest.raises(InputError, match="here: warmup_fraction must be from 0 to 0, but 0.05 was given"):
        as_params({**REX, "parameters": {"warmup_fraction": 0.05}}, "here", fixed)
