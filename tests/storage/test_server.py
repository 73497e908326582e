"""A study on a PostgreSQL server: the same as in SQLite, owned by one process of any host, refused in clear words."""

import logging
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy.engine import make_url

from search_spaces import InputError
from study.cli import interruption, run
from study.evidence.private_server import PASSWORD
from study.storage import server as storage_server
from study.storage import server_lock
from study.storage.damage import UnreachableError
from study.storage.record_format import FORMAT
from study.storage.server_lock import Owner, lock_key
from study.storage.studies import open_study, read_studies, refuse_continued, stored_attributes
from tests.helpers import ROOT, SMALL, finished, open_small, run_search, wait_until

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgresql")

QUICK = replace(SMALL, epochs=2, rung_fractions=(0.5,), trials_per_bracket=5)
"""Two brackets are ten trials."""


@pytest.fixture(scope="module")
def expected(workload, tmp_path_factory):
    """The trials of a study in SQLite."""
    return finished(search_quickly(f"sqlite:///{tmp_path_factory.mktemp('expected')}/studies.db", workload, 10))


def search_quickly(storage, workload, trials):
    return run_search(storage, workload, trials, QUICK)


def open_quick(storage, workload, name="small"):
    return open_small(storage, workload, QUICK, name)


def ask(url, query, *values):
    """The rows that the server answers with."""
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchall()


def other_process(url, name):
    """A process that owns the study of this name until its standard input ends."""
    program = (
        "import sys; from study.storage.owning import owning; from study.storage.url import parse\n"
        f"with owning(parse({url!r}), {name!r}) as connections:\n"
        "    connections(); print('owned', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    process = subprocess.Popen([sys.executable, "-c", program], **pipes)
    assert process.stdout.readline() == "owned\n"
    return process


def test_a_study_is_the_same_as_in_sqlite(database, workload, expected):
    search_quickly(database, workload, 5)
    with open_quick(database, workload) as study:
        assert study.optuna_study.user_attrs["format"] == FORMAT
        for _ in study.search(10):
            pass
        found = finished(study.optuna_study.get_trials())
    assert len(found) == 10
    assert found == expected
    [record] = read_studies(database, "small")
    assert len(record.trials) == 10
    with pytest.raises(InputError, match="unknown study 'smal': did you mean 'small'"):
        read_studies(database, "smal")


def test_a_study_that_has_been_left_can_only_be_read(database, workload):
    with open_quick(database, workload) as study:
        pass
    assert study.optuna_study.user_attrs["format"] == FORMAT
    with pytest.raises(InputError, match="can only be read"):
        study.optuna_study.set_user_attr("format", 0)
    with open_quick(database, workload):
        pass


def test_two_owners_at_once_are_refused_naming_the_first(database, workload):
    """As on two hosts: nothing but the server knows of both."""
    first = other_process(database, "small")
    try:
        with (
            pytest.raises(InputError, match=f"'small' is being searched by process {first.pid} on "),
            open_quick(database, workload),
        ):
            pass
        with open_quick(database, workload, name="another study"):
            pass
    finally:
        first.kill()  # -9: the server ends its connection
        first.communicate()
    deadline = time.monotonic() + 20
    while ask(database, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") and time.monotonic() < deadline:
        time.sleep(0.02)
    with open_quick(database, workload):
        pass


def test_the_name_of_an_owner_fits_and_is_seen_by_other_users(server, database, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "a-host-with-a-name-that-gœs-on-and-on.example.com" * 2)
    server.run("psql", "-c", "CREATE ROLE colleague LOGIN PASSWORD 'other'", "postgres")
    url = make_url(database).set(drivername="postgresql+psycopg")
    with storage_server.connect_to_server(url) as mine:
        Owner("small").take(mine)
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        idle, interval, count = (int(mine.execute(f"SHOW {name}").fetchone()[0]) for name in names)
        assert idle + interval * count == 90, "seconds after which a machine that is gone loses its studies"
        colleague = url.set(username="colleague", password="other")
        with (
            storage_server.connect_to_server(colleague) as theirs,
            pytest.raises(InputError, match="process [0-9]+ on a-host-with-a-name"),
        ):
            Owner("small").take(theirs)


def test_a_lock_is_a_number_of_the_database():
    keys = {lock_key(f"study {number}") for number in range(1000)}
    assert len(keys) == 1000
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert min(keys) < 0 < max(keys), "both halves of the range name locks"


def end_connections(url):
    """As a server does that is restarted, but for the time in between."""
    own = "pg_terminate_backend(pid)"
    where = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    assert ask(url, f"SELECT {own} FROM pg_stat_activity WHERE {where}")


def test_a_search_goes_on_after_its_connection_was_ended(database, workload, expected):
    with open_quick(database, workload) as study:
        for bracket in study.search(10):
            if bracket.finished and bracket.number == 0:
                end_connections(database)
        found = finished(study.optuna_study.get_trials())
        with pytest.raises(InputError, match="is being searched by"), open_quick(database, workload):
            pass
    assert found == expected


@pytest.mark.slow
def test_a_study_that_another_process_continued_meanwhile_is_left_alone(database, workload):
    def search():
        with open_quick(database, workload) as study:
            for bracket in study.search(10):
                if bracket.finished and bracket.number == 0:
                    end_connections(database)
                    search_quickly(database, workload, 6)

    with pytest.raises(InputError, match="another process continued study 'small' while this one had lost"):
        search()
    assert len(read_studies(database, "small")[0].trials) == 6


def test_planning_and_checking_say_that_the_server_is_gone(own_server, database, workload):
    search_quickly(database, workload, 1)
    sessions = stored_attributes(database, "small")["sessions"]
    refuse_continued(database, "small", sessions)
    with pytest.raises(InputError, match="another process continued study 'small'"):
        refuse_continued(database, "small", sessions[:-1])
    with pytest.raises(InputError, match="study 'other' was deleted"):
        refuse_continued(database, "other", sessions)
    own_server.stop()
    for attempt in (partial(stored_attributes, database, "small"), partial(refuse_continued, database, "small", [])):
        with pytest.raises(UnreachableError, match="cannot connect to"):
            attempt()


def test_a_server_that_is_lost_while_attributes_are_read_is_not_a_new_study(database, workload, monkeypatch):
    search_quickly(database, workload, 1)

    def lost(**arguments):
        raise UnreachableError("the connection was lost")

    monkeypatch.setattr("optuna.load_study", lost)
    with pytest.raises(UnreachableError, match="the connection was lost"):
        stored_attributes(database, "small")


def test_an_owner_that_cannot_be_seen_is_waited_for_and_then_another_process(database, monkeypatch):
    url, owner = make_url(database).set(drivername="postgresql+psycopg"), Owner("small")
    monkeypatch.setattr(server_lock, "HOLDER", f"{server_lock.HOLDER} AND false")
    monkeypatch.setattr(server_lock, "GONE_WITHIN", 0.3)
    with storage_server.connect_to_server(url) as first, storage_server.connect_to_server(url) as second:
        Owner("small").take(first)
        with pytest.raises(InputError, match="'small' is being searched by another process: wait for it"):
            owner.take(second)


def test_an_owner_that_came_meanwhile_is_named(database, monkeypatch):
    """One transaction would see the connections of its first look for ever."""
    url, owner = make_url(database).set(drivername="postgresql+psycopg"), Owner("small")
    lost, new = storage_server.connect_to_server(url), storage_server.connect_to_server(url)
    late = []

    def pause(seconds):
        if not late:
            late.append(storage_server.connect_to_server(url))
            late[0].execute("SELECT pg_advisory_lock(%s)", (owner.key,))
            late[0].execute("SET application_name = '1234 process 7 on elsewhere'")
            late[0].commit()

    monkeypatch.setattr(server_lock, "GONE_WITHIN", 2.0)
    monkeypatch.setattr(server_lock.time, "sleep", pause)
    with lost, new:
        owner.take(lost)
        with pytest.raises(InputError, match="'small' is being searched by process 7 on elsewhere"):
            owner.take(new)
    late[0].close()


def test_whoever_waited_in_vain_does_not_wait_again(own_server, database, caplog):
    connections = storage_server.Connections(make_url(database).set(drivername="postgresql+psycopg"), Owner("small"))
    connections.patience = 0.3
    connections()
    own_server.stop()
    for _ in range(2):
        with pytest.raises(UnreachableError, match="does not answer"):
            connections()
    connections.end()
    assert len([one for one in caplog.records if ": waiting for up to" in one.getMessage()]) == 1


def test_a_connection_that_the_server_believes_alive_is_ended_by_its_owner(database):
    url, owner = make_url(database).set(drivername="postgresql+psycopg"), Owner("small")
    lost, new = storage_server.connect_to_server(url), storage_server.connect_to_server(url)
    with lost, new:
        owner.take(lost)
        owner.take(new)
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            lost.execute("SELECT 1")


@pytest.fixture
def own_server(server):
    """The server of this worker, which a test may stop: it runs again afterwards."""
    yield server
    if server.process is None:
        server.start()


def test_a_search_waits_while_the_server_restarts(own_server, database, workload, expected, caplog):
    def back():
        time.sleep(1.2)
        own_server.start()

    threads = []
    with open_quick(database, workload) as study:
        for bracket in study.search(10):
            if bracket.finished and bracket.number == 0:
                own_server.stop()
                threads.append(threading.Thread(target=back))
                threads[0].start()
        found = finished(study.optuna_study.get_trials())
    threads[0].join()
    assert found == expected
    lost, again = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert lost.startswith("postgresql://owner:***@127.0.0.1")
    assert lost.endswith("does not answer (Connection refused): waiting for up to 10 minutes (Ctrl-C to stop)")
    assert again.endswith("answers again: the search continues")


@pytest.fixture
def handlers():
    """A command has its own handlers of signals, until its process ends."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_one_interruption_ends_the_wait(own_server, database, workload, caplog, capfd, handlers):
    """It is noted, and does not raise, while the search writes or trains. Results then cannot be read, or printed."""

    def interrupt_when_it_waits():
        wait_until(lambda: any("waiting for up to" in record.getMessage() for record in caplog.records))
        signal.raise_signal(signal.SIGTERM)

    def search():
        with open_quick(database, workload) as study, interruption() as interrupted:
            with suppress(KeyboardInterrupt):
                for bracket in study.search(10, interrupted):
                    if bracket.finished and bracket.number == 0:
                        own_server.stop()
                        threading.Thread(target=interrupt_when_it_waits).start()
            return study.record

    began = time.monotonic()
    with pytest.raises(SystemExit) as end:
        run(search)
    assert end.value.code == 130
    assert "does not answer (Connection refused). Finished trials are kept: type" in capfd.readouterr().err
    assert time.monotonic() - began < 60
    own_server.start()
    assert len(read_studies(database, "small")[0].trials) == 5


@pytest.mark.slow
def test_a_search_that_waits_in_vain_ends_with_what_it_has(own_server, database, workload, monkeypatch, caplog):
    monkeypatch.setattr(storage_server, "PATIENCE", 0.6)

    def search():
        with open_quick(database, workload) as study:
            for bracket in study.search(10):
                if bracket.finished and bracket.number == 0:
                    own_server.stop()

    with pytest.raises(InputError, match="does not answer .*Finished trials are kept: type the same command"):
        search()
    waits = [one.getMessage() for one in caplog.records if ": waiting for up to" in one.getMessage()]
    assert len(waits) == 1, "what is saved at the end does not wait again"
    own_server.start()
    assert len(read_studies(database, "small")[0].trials) == 5


def test_a_study_whose_server_is_lost_before_it_trains_is_left_as_it_is(own_server, database, workload, monkeypatch):
    waits = []
    monkeypatch.setattr(storage_server, "PATIENCE", 0.2)

    def refused():
        with open_study(database, "small", {"direction": "minimize", "metric": "error"}, {}, {}):
            patient = storage_server.Connections.patient
            counted = lambda connections: waits.append(connections.patience) or patient(connections)  # noqa: E731
            monkeypatch.setattr(storage_server.Connections, "patient", counted)
            own_server.stop()
            raise UnreachableError("the server does not answer")

    with pytest.raises(UnreachableError, match="the server does not answer"):
        refused()
    assert waits == [], "nothing is read or deleted there"


@pytest.mark.slow
def test_a_search_does_not_wait_for_what_will_not_change(own_server, database, workload):
    def search():
        with open_quick(database, workload) as study:
            for bracket in study.search(10):
                if bracket.finished and bracket.number == 0:
                    own_server.run("psql", "-c", f'DROP DATABASE "{make_url(database).database}" (FORCE)', "postgres")

    with pytest.raises(InputError, match="does not answer .database .* does not exist.*Finished trials are kept"):
        search()


def test_a_connection_that_is_lost_in_the_middle_of_a_write_ends_the_search(database, workload, expected):
    """Whether the server has stored it can only be seen afterwards."""

    def search():
        with open_quick(database, workload) as study:
            for bracket in study.search(10):
                if bracket.finished and bracket.number == 0:
                    engine = study.optuna_study._storage._backend.engine
                    with engine.connect() as connection:
                        end_connections(database)
                        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(InputError, match=r"^the connection to .* was lost \(.*\). Finished trials are kept: type the"):
        search()
    assert finished(search_quickly(database, workload, 10)) == expected


def with_parts(url, **parts):
    return make_url(url).set(**parts).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"password": "wrong"}, "password authentication failed .*: check the user, and the password in ~/.pgpass or"),
        ({"username": "nobody"}, "password authentication failed for user .nobody.*: check the user"),
        ({"database": "nowhere"}, "database .nowhere. does not exist.: create it with createdb, or correct --storage"),
        ({"port": 1}, "Connection refused.: check --storage, and that the server is running"),
        ({"host": "nowhere.invalid"}, "failed to resolve host 'nowhere.invalid'.*: check --storage"),
        ({"query": {"no_such_parameter": "1"}}, "invalid connection option .no_such_parameter"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused_at_once(parts, said, database, workload):
    began = time.monotonic()
    url = with_parts(database, **parts)
    for attempt in (lambda: open_quick(url, workload).__enter__(), lambda: read_studies(url, "small")):
        with pytest.raises(InputError, match=f"cannot connect to postgresql://.*{said}") as refused:
            attempt()
        assert PASSWORD not in str(refused.value)
        assert "wrong" not in str(refused.value)
    assert time.monotonic() - began < 10


def test_reading_makes_no_tables(database):
    with pytest.raises(InputError, match="holds no study yet: make one with scripts/search.py"):
        read_studies(database, "small")
    assert stored_attributes(database, "small") == {}
    assert ask(database, "SELECT to_regclass('studies')") == [(None,)]


def test_a_user_who_may_not_create_tables(server, database, workload):
    server.run("psql", "-c", "CREATE ROLE guest LOGIN PASSWORD 'guest'", "postgres")
    guest = with_parts(database, username="guest", password="guest")
    said = "does not allow this user to write .permission denied .*: ask its owner for (GRANT CREATE, .* TO guest)$"
    with pytest.raises(InputError, match=said) as refused, open_quick(guest, workload):
        pass
    make_colleague = re.search(said, str(refused.value))[1]
    server.run("psql", "-c", make_colleague, make_url(database).database)
    search_quickly(guest, workload, 1)


def test_a_user_who_may_not_write_to_the_tables_of_another(server, database, workload):
    """What the message says to type is what helps."""
    search_quickly(database, workload, 1)
    server.run("psql", "-c", "CREATE ROLE \"the reader\" LOGIN PASSWORD 'reader'", "postgres")
    server.run("psql", "-c", 'GRANT CREATE, USAGE ON SCHEMA public TO "the reader"', make_url(database).database)
    server.run("psql", "-c", 'GRANT pg_read_all_data TO "the reader"', "postgres")
    reader = with_parts(database, username="the reader", password="reader")
    assert len(read_studies(reader, "small")[0].trials) == 1, "as docs/team-store.md says"
    said = (
        "to write .permission denied for table .*: ask an administrator for (GRANT .*), or name the user owner in --st"
    )
    with pytest.raises(InputError, match=said) as refused:
        search_quickly(reader, workload, 2)
    become_member = re.search(said, str(refused.value))[1]
    assert become_member == 'GRANT owner TO "the reader"'
    server.run("psql", "-c", become_member, "postgres")
    assert len(search_quickly(reader, workload, 2)) == 2


def test_a_name_that_is_too_long_for_the_server_is_refused(database, workload):
    with pytest.raises(InputError, match="more than 512 characters"), open_quick(database, workload, "x" * 600):
        pass


def test_without_the_driver_it_says_what_to_install(database, workload, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with (
        pytest.raises(InputError, match=r"PostgreSQL needs the package psycopg: pip install -e '.\[postgresql\]'"),
        open_quick(database, workload),
    ):
        pass


def test_tables_of_another_version_of_optuna(database, workload):
    search_quickly(database, workload, 1)
    ask(database, "UPDATE alembic_version SET version_num = 'v3.0.0.d' RETURNING 1")
    said = r"those of another version of Optuna than .*: back them up, then type: optuna storage upgrade --storage "
    with pytest.raises(InputError, match=said):
        read_studies(database, "small")
    with pytest.raises(InputError, match=said), open_quick(database, workload):
        pass


def test_the_database_of_another_program_is_left_as_it_is(server, database, workload):
    server.run("psql", "-c", "CREATE TABLE accounts (); CREATE TABLE alembic_version ()", make_url(database).database)
    said = r"is the database of another program .it holds accounts, alembic_version, no studies.: choose another with"
    with pytest.raises(InputError, match=said), open_quick(database, workload):
        pass
    with pytest.raises(InputError, match="holds no study yet"):
        read_studies(database, "small")
    found = ask(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    assert found == [("accounts",), ("alembic_version",)]


def test_tables_of_another_program_beside_ours_are_in_nobodys_way(server, database, workload):
    search_quickly(database, workload, 1)
    server.run("psql", "-c", "CREATE TABLE accounts ()", make_url(database).database)
    assert len(search_quickly(database, workload, 2)) == 2


def test_whoever_makes_tables_is_not_waited_for_without_end(database, workload, monkeypatch):
    monkeypatch.setattr(server_lock, "TABLES_WITHIN", 1)
    url = make_url(database).set(drivername="postgresql+psycopg")
    with storage_server.connect_to_server(url) as first:
        server_lock.wait_for_tables(first)
        said = "another process has made tables or a study in .* for [0-9]+ seconds: stop it, or type the same command"
        with pytest.raises(InputError, match=said), open_quick(database, workload):
            pass


def test_two_processes_may_make_the_tables_at_once(database, workload):
    def search(name, failures):
        try:
            with open_quick(database, workload, name):
                pass
        except Exception as error:
            failures.append(error)

    failures = []
    threads = [threading.Thread(target=search, args=(f"study {number}", failures)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ask(database, "SELECT count(*) FROM studies") == [(3,)]
