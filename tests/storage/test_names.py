"""Studies by name: whoever opens one reads no trial of another."""

import sqlite3
from contextlib import closing

import optuna
import pytest
from optuna.storages import RDBStorage

from search_spaces import InputError
from study.storage.checks import check_group
from study.storage.names import attributes_of, every_study, study_names
from study.storage.studies import read_studies, stored_attributes
from study.storage.url import parse
from tests.helpers import open_small, run_search


def test_a_study_is_opened_and_read_beside_others_whose_trials_cannot_be(storage, workload):
    run_search(storage, workload, 1, name="other")
    with closing(sqlite3.connect(parse(storage).database)) as connection, connection:
        connection.execute("UPDATE trial_user_attributes SET value_json = '{'")
    run_search(storage, workload, 1, name="mine")
    assert len(read_studies(storage, "mine")[0].trials) == 1
    assert stored_attributes(storage, "other")["group"] == "other"
    with pytest.raises(InputError, match="unknown study 'min': did you mean 'mine'. Valid: other, mine"):
        read_studies(storage, "min")


def test_names_and_attributes(storage, workload):
    with open_small(storage, workload):
        pass
    optuna.create_study(storage=storage, study_name="a study of another program").set_user_attr("x", 1)
    connected = RDBStorage(storage)
    assert study_names(connected) == ["small", "a study of another program"]
    assert dict(every_study(connected))["a study of another program"] == {"x": 1}
    assert attributes_of(connected, "nobody's") == {}


@pytest.mark.parametrize(("first", "second"), [("bench-4-epochs-rex", "bench"), ("bench", "bench-4-epochs-rex")])
def test_the_name_of_a_benchmark_is_not_that_of_a_study(first, second, storage, workload):
    """Whichever is first."""
    optuna.create_study(storage=storage, study_name=first).set_user_attr("group", "bench")
    with pytest.raises(InputError, match="'bench' is the name of a (benchmark|study): choose another name"):
        check_group(RDBStorage(storage), second, "bench")
    check_group(RDBStorage(storage), "bench-marking", "bench-marking")
