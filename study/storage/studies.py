"""Opens, creates and reads the studies in a storage; one process at a time searches a study."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

import optuna
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL

from search_spaces.errors import InputError, require_text, unknown
from study.objective import Engine
from study.storage.checks import CODE, check_format, check_group, refuse_other
from study.storage.damage import DAMAGED, FAILED_MIDWAY, STORAGE_ERRORS, cause, is_of_storage, reading, unusable
from study.storage.listing import listed_studies, listed_study, study_names
from study.storage.lock import owned_in_file
from study.storage.opening import PATIENCE, FailedStorageError, readable, why_unusable
from study.storage.owning import alone_with_tables, owning
from study.storage.record_format import FORMAT
from study.storage.server import Connections, holds_studies
from study.storage.server_storage import server_storage
from study.storage.study_record import StudyRecord
from study.storage.url import (
    DEFAULT_STORAGE,
    check_file,
    is_server,
    make_folder,
    optuna_url,
    parse,
    rendered,
    shown_url,
)
from study.storage.vanished import noticed_if_gone

WITH_ENGINE: WeakSet[optuna.Study] = WeakSet()
"""Studies whose engine this process has stored: their runs may have begun, and no storage must be asked to know it."""


@contextmanager
def open_study(
    storage: str | None,
    name: str,
    configuration: dict[str, Any],
    attributes: dict[str, Any],
    session: dict[str, Any],
    accepted: Sequence[str] | None = None,
) -> Iterator[optuna.Study]:
    """The study of this name, created if it does not exist, owned by this process until the context ends.

    storage: a database URL; None for a study in memory. configuration: everything that can change a result, as plain
    values. attributes: what else is stored with a new study. session: the provenance of this start, which is added to
    those of earlier starts. accepted: if given, the user's code may be another one than that of an existing study; what
    has changed, in words, is then recorded.
    Raises InputError if the storage cannot be used, if another process searches this study, or if it was made with
    another configuration.
    """
    require_text(name)
    if storage is None:
        in_memory = optuna.create_study(
            study_name=name, direction=configuration["direction"], sampler=RandomSampler(), pruner=NopPruner()
        )
        prepare(in_memory, configuration, attributes, session)
        yield in_memory
        return
    if storage == DEFAULT_STORAGE:
        make_folder(Path("results"))
    url = parse(storage)
    check_file(url)
    with owning(url, name) as connections, ExitStack() as stack:
        try:
            with usable(url), alone_with_tables(url):
                connected = connected_to_write(url, name, stack, connections)
                check_group(connected, name, attributes.get("group", name))
                is_new = name not in study_names(connected)
                optuna_study = create_study(connected, name, configuration["direction"])
            prepare(optuna_study, configuration, attributes, session, accepted)
            if connections:
                connections.check = partial(refuse_continued, storage, name, optuna_study.user_attrs["sessions"])
            try:
                yield optuna_study
            except BaseException as error:
                refused = is_new and optuna_study not in WITH_ENGINE  # nothing was trained
                if refused and not is_of_storage(error):
                    with suppress(InputError, *STORAGE_ERRORS):
                        optuna.delete_study(study_name=name, storage=connected)
                raise
        except FAILED_MIDWAY as error:
            if not is_of_storage(error):
                raise
            why = why_unusable(Path(url.database or ""), error) if not is_server(url) else None
            raise InputError(
                f"the storage {shown_url(storage)} failed: {why or cause(error)}. Finished trials are kept"
            ) from error


def refuse_continued(storage: str, name: str, sessions: list[Any]) -> None:
    """Raise InputError if another process has opened the study since these sessions were stored."""
    connected = connect_to_read(storage)
    if name not in study_names(connected):
        raise InputError(f"study {name!r} was deleted while this process had lost its connection")
    with reading(name):
        stored = optuna.load_study(study_name=name, storage=connected).user_attrs.get("sessions")
    if stored != sessions:
        raise InputError(
            f"another process continued study {name!r} while this one had lost its connection: "
            "type the same command to continue, once that one has ended"
        )


def prepare(
    optuna_study: optuna.Study,
    configuration: dict[str, Any],
    attributes: dict[str, Any],
    session: dict[str, Any],
    accepted: Sequence[str] | None = None,
) -> None:
    """Write the attributes of a new study, or check those of an existing one; add this start."""
    name = optuna_study.study_name
    with reading(name):
        attrs = optuna_study.user_attrs
    if "configuration" not in attrs and optuna_study.get_trials(deepcopy=False):
        raise InputError(f"study {name!r} was not made by this project: choose another name with --study")
    direction = optuna_study.direction.name.lower()
    if direction != configuration["direction"]:
        raise InputError(
            f"study {name!r} is to {direction} its metric, but this workload is to "
            f"{configuration['direction']} its own: choose another name with --study"
        )
    sessions = [*attrs.get("sessions", []), session]
    if "configuration" in attrs:
        check_format(name, attrs)
        with reading(name):
            StudyRecord.read(name, attrs, ())
        code = {key: attrs["configuration"][key] for key in CODE if key in attrs["configuration"]}
        refuse_other(name, attrs, configuration if accepted is None else {**configuration, **code})
        if accepted is not None:
            if accepted:
                stored = {"trials": len(optuna_study.get_trials(deepcopy=False)), "changes": list(accepted)}
                optuna_study.set_user_attr("accepted", [*attrs.get("accepted", []), stored])
            for key, value in {"made_of": attributes["made_of"], "configuration": configuration}.items():
                optuna_study.set_user_attr(key, value)
        optuna_study.set_user_attr("sessions", sessions)
    else:
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
            optuna_study.set_metric_names([f"val_{configuration['metric']}"])  # the dashboard's axes
        # The configuration is written last: a study that has one has all other attributes.
        every = {"format": FORMAT, **attributes, "sessions": sessions, "configuration": configuration}
        for key, value in every.items():
            optuna_study.set_user_attr(key, value)


def stored_attributes(storage: str, name: str) -> dict[str, Any]:
    """The attributes of the study of this name; empty if it does not exist yet, or cannot be read.

    Raises FailedStorageError if a server does not answer: that study may exist.
    """
    url = parse(storage)
    if not (holds_studies(url) if is_server(url) else Path(url.database or "").exists()):
        return {}
    try:
        connected = connect_to_read(storage)
        if name not in study_names(connected):
            return {}
        stored = listed_study(connected, name)
        if stored.ours:
            stored.refuse_damaged()
            check_format(name, stored.attributes)
            StudyRecord.read(name, stored.attributes, ())
    except FailedStorageError:
        raise
    except (*STORAGE_ERRORS, *DAMAGED):  # which are reported when the study is opened
        return {}
    return dict(stored.attributes)


def stored_engine(optuna_study: optuna.Study) -> dict[str, Any] | None:
    """How the study's runs are trained, as plain values; None if no engine is chosen yet."""
    stored: dict[str, Any] | None = optuna_study.user_attrs.get("engine")
    return stored


def keep_engine(optuna_study: optuna.Study, engine: Mapping[str, Any]) -> None:
    """Store how the study's runs are trained: engine, cohort and workers, and the flags that set them."""
    optuna_study.set_user_attr("engine", dict(engine))
    WITH_ENGINE.add(optuna_study)


def lower_cohort(optuna_study: optuna.Study, cohort: int) -> None:
    """Store a smaller cohort for all further runs of the study, after memory ran out."""
    stored = stored_engine(optuna_study)
    if stored and stored["cohort"] > cohort:
        keep_engine(optuna_study, {**stored, "engine": Engine(cohort).name, "cohort": cohort})


def read_studies(storage: str, name: str) -> list[StudyRecord]:
    """The study of this name, or all studies of the benchmark of this name in the order they were made, for reading.

    Raises InputError if the storage cannot be used, or holds no such study that this version can read.
    """
    connected = connect_to_read(storage)
    try:
        own = [listed_study(connected, name)] if name in study_names(connected) else []
        every = own if own and own[0].ours else listed_studies(connected)
        ours = [one for one in every if one.ours]
        found = [one for one in ours if one.name == name] or [one for one in ours if one.group == name]
        if not found:
            known = list(dict.fromkeys([*(one.group for one in ours), *(one.name for one in ours)]))
            raise no_such_study(name, known, [one.name for one in every if not one.ours], shown_url(storage))
        for one in found:
            one.refuse_damaged()
            check_format(one.name, one.attributes)
        loaded = [optuna.load_study(study_name=one.name, storage=connected) for one in found]
        return [StudyRecord.of(one) for one in loaded]
    except STORAGE_ERRORS as error:
        raise unusable(f"the storage {shown_url(storage)} cannot be read", error) from error


def no_such_study(name: str, known: list[str], foreign: list[str], where: str) -> InputError:
    """The error for a study that cannot be read. known: studies and benchmarks of ours. foreign: those of others."""
    if not known:
        others = f", only those of other programs: {', '.join(foreign)}" if foreign else ""
        return InputError(f"{where} holds no study of this project{others}: make one with scripts/search.py")
    if name in foreign:
        return InputError(f"study {name!r} was not made by this project. Valid: {', '.join(known)}")
    return unknown("study", name, known)


def read_study(storage: str, name: str) -> StudyRecord:
    """The one study of this name, for reading; raises InputError as `read_studies`, and for a benchmark."""
    first = read_studies(storage, name)[0]
    if first.name != name:
        raise InputError(f"{name!r} is a benchmark: name one of its studies, such as {first.name!r}")
    return first


def connect_to_read(storage: str) -> RDBStorage:
    """Optuna's storage at this URL; raises InputError if it does not exist or cannot be used. Creates nothing."""
    url = parse(storage)
    check_file(url)
    path = Path(url.database or "")
    if not is_server(url) and not (path.is_file() and path.stat().st_size):
        raise InputError(f"there is no database {path}: check --storage, or search first")
    with usable(url):
        return server_storage(Connections(url)) if is_server(url) else connect(readable(url))


SETTING_UP = (ImportError, LookupError, ValueError, AssertionError, TypeError, AttributeError)
"""What Optuna raises besides if a driver is missing, or its own tables are damaged."""


@contextmanager
def usable(url: URL) -> Iterator[None]:
    """Turn errors of the storage in this context into an InputError."""
    try:
        yield
    except RuntimeError as error:  # raised by Optuna for the tables of another version
        upgrade = f"optuna storage upgrade --storage {shlex.quote(optuna_url(url))}"
        raise InputError(
            f"the tables in {rendered(url)} are those of another version of Optuna than {optuna.__version__}: "
            f"back them up, then type: {upgrade}, or install the later version"
        ) from error
    except (*STORAGE_ERRORS, *SETTING_UP) as error:
        raise unusable(f"the storage {rendered(url)} cannot be used", error) from error


def connect(url: URL) -> RDBStorage:
    """Optuna's storage of an SQLite file; it waits while another process holds the file."""
    return RDBStorage(
        str(url),
        engine_kwargs={"connect_args": {"timeout": PATIENCE}},
        skip_table_creation="immutable" in url.query,
    )


def connected_to_write(url: URL, name: str, stack: ExitStack, connections: Connections | None) -> RDBStorage:
    """Optuna's storage, for the owner of the study of this name. connections: to a server; None for an SQLite file,
    which is watched, and locked, until the stack ends.
    """
    if connections:
        return server_storage(connections)
    storage = connect(url)
    # Readers and the one writer do not lock each other out; a killed process loses nothing.
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        files = {name: file for _, name, file in connection.exec_driver_sql("PRAGMA database_list")}
    stack.enter_context(owned_in_file(Path(files["main"]), name))
    stack.enter_context(noticed_if_gone(storage.engine, Path(files["main"])))
    return storage


def create_study(storage: RDBStorage, name: str, direction: Literal["minimize", "maximize"]) -> optuna.Study:
    """Optuna's study of this name, which may exist; its own sampler and pruner are not used."""
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction=direction,
        sampler=RandomSampler(),
        pruner=NopPruner(),
        load_if_exists=True,
    )
