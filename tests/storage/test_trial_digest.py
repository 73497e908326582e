"""Values in a database that were changed to others that could stand there."""

import json
import sqlite3
from contextlib import closing

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search_spaces import InputError
from study.storage.studies import read_study
from study.storage.trial_digest import check_digest, digest_of, with_digest
from study.storage.url import parse
from tests.helpers import run_search


def change(storage, statement):
    with closing(sqlite3.connect(parse(storage).database)) as connection, connection:
        connection.execute(statement)


def in_record(path, value):
    where = "key = 'record' AND trial_id = 2"
    return f"UPDATE trial_user_attributes SET value_json = json_set(value_json, '$.{path}', {value}) WHERE {where}"


@pytest.fixture(scope="module")
def searched(workload, tmp_path_factory):
    """A database with two trials."""
    path = tmp_path_factory.mktemp("searched") / "studies.db"
    run_search(f"sqlite:///{path}", workload, 2)
    return path


@pytest.fixture
def storage(searched, tmp_path):
    with closing(sqlite3.connect(searched)) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    return f"sqlite:///{tmp_path / 'copy.db'}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trial_params SET param_value = param_value * 1.01 WHERE param_name = 'peak_lr' AND trial_id = 2",
        "UPDATE trial_intermediate_values SET intermediate_value = 0.125 WHERE trial_id = 2",
        "UPDATE trials SET state = 'PRUNED' WHERE trial_id = 2 AND state = 'COMPLETE'",
        in_record("seeds.train_seed", 7),
        in_record("best_epoch", 1.5),
    ],
)
def test_a_value_that_was_changed_is_noticed(storage, statement):
    assert len(read_study(storage, "small").trials) == 2
    change(storage, statement)
    with pytest.raises(InputError, match="records of study 'small' are damaged .trial 1 is not what was stored"):
        read_study(storage, "small")


def test_its_time_may_differ_and_a_trial_without_a_digest_is_read(storage):
    change(storage, in_record("seconds", 7.5))
    assert read_study(storage, "small").trial(1).seconds == 7.5
    change(storage, in_record("best_epoch", 1.5))
    change(storage, in_record("digest", "NULL"))
    assert read_study(storage, "small").trial(1).best_epoch == 1.5


def test_a_trial_has_the_same_digest_in_a_copy_of_its_study(storage, tmp_path):
    optuna.copy_study(from_study_name="small", from_storage=storage, to_storage=f"sqlite:///{tmp_path / 'other.db'}")
    assert len(read_study(f"sqlite:///{tmp_path / 'other.db'}", "small").trials) == 2


def test_a_database_may_lose_the_sign_of_zero():
    def trial(value):
        own = {"state": TrialState.COMPLETE, "value": value, "intermediate_values": {1: value}}
        return create_trial(**own, user_attrs={"record": {"seconds": 1.0}})

    kept = json.loads(json.dumps(with_digest(trial(-0.0)).user_attrs))
    read = trial(0.0)
    read.user_attrs = kept
    check_digest(read)
    assert digest_of(trial(1e-300)) != digest_of(read)
