"""Opening studies: what is stored with them, and every refusal."""

import ctypes
import errno
import os
import shutil
import signal
import sqlite3
import traceback
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine

from search_spaces import InputError
from study.assembly import opened, plan_search
from study.executors.options import ExecutorOptions
from study.source import device_of_runs
from study.storage import lock
from study.storage.listing import listed_study
from study.storage.opening import why_unusable
from study.storage.record_format import FORMAT
from study.storage.studies import open_study, read_studies
from study.storage.study_record import StudyRecord
from study.storage.url import artifact_folder, check_file, dashboard_command, parse
from study.training.workload_objective import WorkloadObjective
from tests.helpers import DIGITS, SMALL, finished, open_small, run_search


def test_a_study_carries_what_it_promises(storage, workload):
    with open_small(storage, workload) as study:
        attrs = study.optuna_study.user_attrs
    assert attrs["format"] == FORMAT
    assert attrs["group"] == "small"
    assert attrs["metric"] == {"name": "error", "direction": "minimize", "unit": "fraction of rows", "worst": 1.0}
    configuration = attrs["configuration"]
    assert configuration["horizons"] == [1, 4]
    assert configuration["weight_decay"] == 5e-4
    assert configuration["data"] == workload.data.fingerprint()
    assert configuration["space"]["peak_lr"]["attributes"] == {"step": None, "low": 1e-3, "high": 5.0, "log": True}
    (session,) = attrs["sessions"]
    assert session["versions"]["optuna"] == optuna.__version__
    assert {"command", "commit", "device", "threads", "python", "platform", "time"} < set(session)
    with open_small(storage, workload) as study:
        assert len(study.optuna_study.user_attrs["sessions"]) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 5}, "epochs 4 \\(now 5\\)"),
        ({"families": ("cosine",)}, "families .* \\(now \\['cosine'\\]\\)"),
        ({"pruner": "none"}, "pruner horizon \\(now none\\)"),
        ({"reduction": 2}, "reduction 4 \\(now 2\\)"),
        ({"rung_fractions": (0.5,)}, "rung_fractions \\[0.25\\] \\(now \\[0.5\\]\\)"),
        ({"trials_per_batch": 1}, "trials_per_batch 5 \\(now 1\\)"),
        ({"sampler_seed": 1}, "sampler_seed 0 \\(now 1\\)"),
        ({"train_seed": 1}, "train_seed 0 \\(now 1\\)"),
    ],
)
def test_another_configuration_is_refused_naming_the_difference(change, said, storage, workload):
    with open_small(storage, workload):
        pass
    with pytest.raises(InputError, match=said), open_small(storage, workload, replace(SMALL, **change)):
        pass


def test_another_workload_is_refused(storage, workload, data_root):
    with open_small(storage, workload):
        pass
    for changes, said in (({"split_seed": 1}, "split_seed 0 .now 1."), ({"batch_size": 32}, "batch_size 64 .now 32.")):
        other = replace(DIGITS, **changes)
        objective = WorkloadObjective(other.load(data_root))
        plan = plan_search(other, objective, SMALL, storage, "small")
        with pytest.raises(InputError, match=said), opened(plan, ExecutorOptions()):
            pass
    without_decay = replace(workload, weight_decay=0.0)
    with pytest.raises(InputError, match="weight_decay 0.0005 .now 0.0"), open_small(storage, without_decay):
        pass
    narrower = replace(workload, peak_lr=(0.1, 1.0))
    with pytest.raises(InputError, match="another space: the range of peak_lr"), open_small(storage, narrower):
        pass
    upwards = replace(workload, metric=replace(workload.metric, direction="maximize"))
    with pytest.raises(InputError, match="is to minimize its metric"), open_small(storage, upwards):
        pass


def test_a_study_of_another_program_is_refused(storage, workload):
    optuna.create_study(storage=storage, study_name="small").optimize(lambda trial: trial.suggest_float("x", 0, 1), 1)
    with pytest.raises(InputError, match="'small' was not made by this project"), open_small(storage, workload):
        pass
    with pytest.raises(
        InputError, match="holds no study of this project, only those of other programs: small: make one"
    ):
        read_studies(storage, "small")
    assert run_search(storage, workload, 1, name="beside it")
    with pytest.raises(InputError, match="study 'small' was not made by this project. Valid: beside it"):
        read_studies(storage, "small")
    with pytest.raises(InputError, match="unknown study 'beside i': did you mean 'beside it'[?] Valid: beside it"):
        read_studies(storage, "beside i")


def test_an_empty_study_in_another_direction_is_refused(storage, workload):
    optuna.create_study(storage=storage, study_name="small", direction="maximize")
    with pytest.raises(InputError, match="'small' is to maximize its metric"), open_small(storage, workload):
        pass


def test_damaged_records_are_told(storage, workload):
    with open_small(storage, workload):
        pass
    with sqlite3.connect(parse(storage).database) as connection:
        connection.execute("UPDATE study_user_attributes SET value_json = '{'")
    connection.close()
    with pytest.raises(InputError, match="the records of study 'small' are damaged"), open_small(storage, workload):
        pass


def test_a_storage_that_fails_midway_is_told(storage, workload):
    with pytest.raises(InputError, match="failed: disk full. Finished trials are kept"), open_small(storage, workload):
        raise optuna.exceptions.StorageInternalError("disk full\nand much more")


def lose_trials(optuna_study, storage):
    with closing(sqlite3.connect(parse(storage).database)) as connection:
        connection.execute("DROP TABLE trials")
    optuna_study.ask()


def query(engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM mine")


def test_an_error_of_the_users_database_is_not_ours(storage, workload):
    """Of the driver, or of SQLAlchemy; that of our own database is."""
    with pytest.raises(sqlite3.OperationalError, match="no such table: mine"), open_small(storage, workload):
        raise sqlite3.OperationalError("no such table: mine")
    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such table: mine"), open_small(storage, workload):
        query(sqlalchemy.create_engine("sqlite://"))
    said = "failed: no such table: trials. Finished trials are kept"
    with pytest.raises(InputError, match=said), open_small(storage, workload) as study:
        lose_trials(study.optuna_study, storage)


def test_why_a_database_is_unusable(tmp_path):
    assert why_unusable(tmp_path / "gone" / "studies.db", OSError()) == "its folder is gone"
    assert why_unusable(tmp_path / "studies.db", OSError()) is None
    assert why_unusable(tmp_path / "studies.db", OSError("database or disk is full")) == "no space is left on the disk"


def test_a_database_that_cannot_be_opened_to_lock_it_is_named(tmp_path, workload, monkeypatch):
    def refused(path, flags):
        raise OSError(errno.EMFILE, "Too many open files")

    path = tmp_path / "studies.db"
    run_search(f"sqlite:///{path}", workload, 1)
    monkeypatch.setattr(lock, "OPEN", {})
    monkeypatch.setattr(lock, "os", SimpleNamespace(**{**vars(os), "open": refused}))
    with pytest.raises(InputError, match="cannot write to the database .*studies.db: Too many open files"):
        run_search(f"sqlite:///{path}", workload, 2)


def test_a_study_left_half_created_is_completed(storage, workload):
    optuna.create_study(storage=storage, study_name="small")
    with open_small(storage, workload) as study:
        assert study.optuna_study.user_attrs["format"] == FORMAT


def test_one_process_at_a_time(storage, workload):
    with open_small(storage, workload):
        with pytest.raises(InputError, match="'small' is being searched by process"), open_small(storage, workload):
            pass
        for other in ("another study", "sm/all", "sm_all", "s" * 300):
            with open_small(storage, workload, name=other):
                pass
        link = Path(parse(storage).database).with_name("link.db")
        link.symlink_to(parse(storage).database)
        with pytest.raises(InputError, match="is being searched"), open_small(f"sqlite:///{link}", workload):
            pass
    with open_small(storage, workload):
        pass


def test_the_dashboard_may_read_while_the_search_writes(storage, workload):
    with open_small(storage, workload):
        pass
    with sqlite3.connect(parse(storage).database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        (
            "results/studies.db",
            "'results/studies.db' is not a database URL: give --storage a database URL such as sqlite:///",
        ),
        ("sqlite://", "'sqlite://' does not persist"),
        ("sqlite:///nowhere/studies.db", "the folder nowhere of the storage does not exist: mkdir -p nowhere"),
        ("sqlite:////proc/studies.db", "cannot write to /proc"),
        (
            "nosuchdatabase://host/studies",
            "'nosuchdatabase://host/studies' cannot keep studies, only SQLite and Postgre",
        ),
        (
            "mysql+pymysql://me:secret@host/studies",
            "'mysql[+]pymysql://me:[*]{3}@host/studies' cannot keep studies, only",
        ),
        ("postgresql+psycopg2://host/studies", "cannot keep studies, only SQLite and PostgreSQL can: give --storage "),
    ],
)
def test_storages_that_cannot_be_used(storage, said, workload, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said), open_small(storage, workload):
        pass
    assert list(tmp_path.iterdir()) == []


def write_text(path):
    path.write_text("Dear diary, this is no database at all.")


def write_damaged(path):
    optuna.create_study(storage=f"sqlite:///{path}")
    content = bytearray(path.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    path.write_bytes(content)


def write_unrelated(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (write_text, "is not an SQLite database, or is damaged"),
        (write_damaged, "is damaged"),
        (write_unrelated, "is the database of another program .it holds recipes"),
        (lambda path: path.mkdir(), "is a folder, not a file"),
    ],
)
def test_files_that_hold_no_studies_are_left_as_they_are(write, said, workload, tmp_path):
    path = tmp_path / "studies.db"
    write(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputError, match=said), open_small(f"sqlite:///{path}", workload):
        pass
    assert list(tmp_path.iterdir()) == [path]
    assert before is None or path.read_bytes() == before


def test_an_empty_file_is_a_new_database(tmp_path, workload):
    path = tmp_path / "studies.db"
    path.touch()
    check_file(parse(f"sqlite:///{path}"))
    assert run_search(f"sqlite:///{path}", workload, 1)


@pytest.mark.slow
def test_a_database_that_is_killed_while_it_is_made_goes_on(tmp_path, workload):
    """Killed at every few statements, and between them."""
    kills = 0
    for at in range(2, 1000, 13):
        storage = f"sqlite:///{tmp_path / str(at)}.db"
        if not killed_at(at, open_small(storage, workload)):
            break
        kills += 1
        with open_small(storage, workload) as study:
            assert study.optuna_study.user_attrs["format"] == FORMAT
        assert read_studies(storage, "small")[0].name == "small"
    assert kills > 10


def killed_at(number, opening):
    """Whether a process that enters this context was killed at this event of a database, if there are so many."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == signal.SIGKILL
    left = number

    def count(*arguments):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, moment, count)
        opening.__enter__()
    finally:
        os._exit(0)


def test_the_dashboard_command_is_the_one_to_type():
    assert dashboard_command("sqlite:///results/studies.db") == "python scripts/dashboard.py"
    mine = dashboard_command("sqlite:///my studies.db")
    assert mine == "python scripts/dashboard.py --storage 'sqlite:///my studies.db'"
    assert "secret" not in dashboard_command("postgresql://me:secret@host/studies"), "it is shown in notes"


def test_artifacts_lie_beside_the_database():
    assert artifact_folder("sqlite:///results/studies.db") == Path("results/studies.db.artifacts")
    assert artifact_folder("postgresql://me:secret@host/studies") == Path("results/host_studies.artifacts")


@pytest.mark.parametrize("befalls", ["deleted", "moved", "replaced"])
def test_a_database_that_is_gone_while_it_is_searched_is_noticed(befalls, tmp_path, workload):
    path, copied = tmp_path / "studies.db", tmp_path / "copy.db"
    acts = {
        "deleted": path.unlink,
        "moved": lambda: path.rename(tmp_path / "elsewhere.db"),
        "replaced": lambda: Path(shutil.copy(path, copied)).replace(path),
    }

    def search():
        with open_small(f"sqlite:///{path}", workload) as study:
            for bracket in study.search(10):
                if bracket.finished and bracket.number == 0:
                    acts[befalls]()

    with pytest.raises(
        InputError, match="^the database .* was deleted, moved or replaced .* is kept in .*studies.db.kept: move that"
    ):
        search()
    kept = f"sqlite:///{path}.kept"
    assert read_studies(kept, "small")[0].trials
    undisturbed = run_search(f"sqlite:///{tmp_path / 'undisturbed.db'}", workload, 10)
    assert finished(run_search(kept, workload, 10)) == finished(undisturbed)


@pytest.mark.parametrize("name", ["x" * 300, "loop.db", "%00", "x" * 250])
def test_a_storage_that_cannot_be_the_name_of_a_file_is_refused(name, tmp_path):
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")
    with pytest.raises(InputError, match="--storage does not name a file"):
        parse(f"sqlite:///{tmp_path}/{name}".replace("%00", "\0"))


def test_an_address_that_is_cut_is_refused():
    with pytest.raises(InputError, match="is not a database URL"):
        parse("postgresql://[::1")


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("sqlite:///file:x.db?mode=memory&uri=true", "does not persist"),
        ("sqlite:///file::memory:?uri=true", "does not persist"),
        ("sqlite:///q?x.db", "must not contain [?], but 'sqlite:///q[?]x.db' was given"),
    ],
)
def test_a_storage_that_would_be_kept_nowhere_or_elsewhere_is_refused(storage, said):
    with pytest.raises(InputError, match=said):
        parse(storage)


def test_a_storage_may_be_a_uri_of_sqlite(tmp_path, workload, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_small("sqlite:///file:studies.db?uri=true", workload) as study:
        assert study.optuna_study.user_attrs["format"] == FORMAT
    assert (tmp_path / "studies.db").exists()


def test_a_damaged_study_hides_no_other(tmp_path, workload):
    """It is named if it is asked for; the other can be read, and searched on."""
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    run_search(storage, workload, 2, name="sound")
    run_search(storage, workload, 1, name="broken")
    with sqlite3.connect(tmp_path / "studies.db") as connection:
        connection.execute("UPDATE study_user_attributes SET value_json = '{x' WHERE key = 'workload' AND study_id = 2")
    connection.close()
    assert len(read_studies(storage, "sound")[0].trials) == 2
    assert len(run_search(storage, workload, 3, name="sound")) == 3
    with pytest.raises(InputError, match="the records of study 'broken' are damaged .Expecting property name"):
        read_studies(storage, "broken")
    with pytest.raises(InputError, match="the records of study 'broken' are damaged"):
        run_search(storage, workload, 2, name="broken")
    with pytest.raises(InputError, match="unknown study 'brokn': did you mean 'broken'[?] Valid: sound, broken"):
        read_studies(storage, "brokn")


def test_a_database_that_is_gone_is_not_damaged(tmp_path, workload):
    """Also if that is noticed while records are read."""
    path = tmp_path / "studies.db"
    with open_small(f"sqlite:///{path}", workload) as study:
        path.rename(tmp_path / "elsewhere.db")
        storage = study.optuna_study._storage._backend
        for read in (lambda: StudyRecord.of(study.optuna_study), lambda: listed_study(storage, "small")):
            with pytest.raises(InputError, match="^the database .* was deleted, moved or replaced"):
                read()
        (tmp_path / "elsewhere.db").rename(path)


def in_a_fork(act):
    """What another process returns or raises that calls the function."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(act()).encode())
        except InputError as error:
            os.write(write, str(error).encode())
        except BaseException:
            os.write(write, traceback.format_exc().encode())
        finally:
            os._exit(0)  # or it would go on with the tests
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as said:
        return said.read()


def searches_in_a_process(storage, workload, name="small"):
    """What another process says that searches this study."""

    def search():
        lock.OPEN.clear()  # as a process that was not forked
        run_search(storage, workload, 1, name=name)
        return "searched"

    return in_a_fork(search)


@pytest.mark.parametrize("path", ["studies.db", "hard link.db"])
def test_one_process_at_a_time_also_without_the_lock_files(path, tmp_path, workload):
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    with open_small(storage, workload):
        if path == "studies.db":
            shutil.rmtree(tmp_path / "studies.db.locks")
        else:
            os.link(tmp_path / "studies.db", tmp_path / path)
        same = f"sqlite:///{tmp_path / path}"
        said = searches_in_a_process(same, workload)
        if path == "studies.db":
            assert "'small' is being searched by another process, whose lock" in said
            assert searches_in_a_process(same, workload, "another") == "searched"
        assert said != "searched", "SQLite itself may refuse a file whose log has another name"
    assert searches_in_a_process(storage, workload) == "searched"


def test_two_trials_of_one_place_are_refused(tmp_path, workload):
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    trial = run_search(storage, workload, 2)[0]
    optuna.load_study(study_name="small", storage=storage).add_trial(trial)
    with pytest.raises(InputError, match="the records of study 'small' are damaged .two trials have the same place"):
        run_search(storage, workload, 5)


def test_an_owner_that_is_a_folder_is_in_nobodys_way(tmp_path, workload):
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    run_search(storage, workload, 1)
    [owner] = (tmp_path / "studies.db.locks").glob("*.owner")
    owner.unlink()
    owner.mkdir()
    with open_small(storage, workload), pytest.raises(InputError, match="being searched by another process"):
        run_search(storage, workload, 2)


def test_an_engine_that_is_refused_leaves_no_study(tmp_path, workload):
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    objective = WorkloadObjective(
        replace(workload, metric=replace(workload.metric, measure=None, whole=lambda *_: 0.0))
    )
    plan = plan_search(DIGITS, objective, SMALL, storage, "small")
    refused = ExecutorOptions(engine="lockstep")
    with pytest.raises(InputError), opened(plan, refused):
        pass
    assert optuna.get_all_study_names(storage) == []


def test_the_error_of_a_new_study_is_not_hidden_by_that_of_its_removal(tmp_path, workload, monkeypatch):
    def fail(**arguments):
        raise optuna.exceptions.StorageInternalError("locked")

    monkeypatch.setattr("optuna.delete_study", fail)
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    with (
        pytest.raises(RuntimeError, match="first"),
        open_study(storage, "small", {"direction": "minimize", "metric": "error"}, {}, {}),
    ):
        raise RuntimeError("first")
    assert optuna.get_all_study_names(storage) == ["small"]


def without_rights(act):
    """What a process returns or raises that must obey the modes of files, also as root."""

    def dropped():
        version_3, capabilities = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(version_3, capabilities) == 0
        return act()

    return in_a_fork(dropped)


def test_a_finished_study_where_nothing_can_be_written(tmp_path, workload):
    """It is read, whatever its name; a search says why it cannot."""
    place = tmp_path / "place"
    place.mkdir()
    path = place / "my study's #1 100%.db"
    run_search(f"sqlite:///{tmp_path / 'studies.db'}", workload, 2)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as written, closing(sqlite3.connect(path)) as copy:
        written.backup(copy)
    path.chmod(0o444)
    place.chmod(0o555)
    storage = "sqlite:///" + str(path).replace("%", "%25")
    try:
        url = parse(storage)
        assert url.database == str(path)
        assert without_rights(lambda: len(read_studies(storage, "small")[0].trials)) == "2"
        assert "Permission denied" in without_rights(lambda: run_search(storage, workload, 3))
        place.chmod(0o777)  # the file alone may not be written to; it is in the mode that a search leaves it in
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        said = without_rights(lambda: run_search(storage, workload, 3))
        assert (
            said
            == f"cannot write to the database {path}: it may not be written to (Permission denied). Check --storage"
        )
        place.chmod(0o555)
        path.chmod(0)
        said = without_rights(lambda: read_studies(storage, "small"))
        assert said == f"the database {path} cannot be opened: it may not be read (Permission denied)"
    finally:
        place.chmod(0o755)


def test_a_study_of_actors_with_gpus_names_the_flags_that_a_head_without_a_gpu_needs(storage, workload):
    asked = ExecutorOptions(executor="ray", workers=3, gpus_per_run=0.5, ray_address="auto")
    with open_small(storage, workload) as study:
        made = study.optuna_study
        made.set_user_attr("configuration", made.user_attrs["configuration"] | {"device": "cuda"})
        made.set_user_attr("engine", made.user_attrs["engine"] | {"asked": asdict(asked)})
    flags = "--executor ray --workers 3 --gpus-per-run 0.5 --device cuda --ray-address auto"
    with pytest.raises(InputError, match=f"Ray actors \\(device cuda, not cpu\\): give {flags} again"):
        open_small(storage, workload).__enter__()
    assert device_of_runs("cuda", asked).type == "cuda"
