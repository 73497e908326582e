"""Serves optuna-dashboard on this machine only, with the artifacts of the trials."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from threading import Lock
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
import optuna_dashboard
from optuna.storages import BaseStorage

from search_spaces.errors import InputError
from study.reports.dashboard.answers import shown_importance, shown_study
from study.storage.artifact_places import AllPlaces
from study.storage.damage import DAMAGED
from study.storage.studies import connect_to_read
from study.storage.study_record import StudyRecord

HOST = "127.0.0.1"
"""There is no login, and whoever reaches the dashboard can delete studies."""
STYLE = """<style>
main{min-width:0}
main .MuiTypography-body1{white-space:normal!important;overflow-wrap:anywhere}
main .MuiCard-root:has(img[src*="/artifacts/"]){width:min(640px,100%)!important;height:auto!important}
main :has(>img[src*="/artifacts/"]){height:auto!important}
main img[src*="/artifacts/"]{width:100%!important;height:auto!important}
@media (max-width:700px){
main [class*=MuiGrid-grid-xs-]{flex-basis:100%!important;max-width:100%!important}
main div:has(>div>.MuiList-root){flex-direction:column}
main div:has(>.MuiList-root){width:100%!important;height:180px!important;overflow:auto}
}
</style>"""
"""For what the dashboard has no setting: it puts an attribute of up to 1024 characters on one line, so that the page of
a trial is several screens wide, shows the picture of a trial 200 pixels wide, and puts plots, or the list of trials and
one of them, side by side even on a phone."""
STUDY = re.compile(r"/api/studies/(\d+)(/param_importances)?/?")
"""The requests whose answers are changed."""
Application = Callable[..., Iterable[bytes]]


class Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at the same time."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Prints nothing for a request that was answered."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Records:
    """The records of the studies in a storage; a finished trial is read once."""

    def __init__(self, storage: BaseStorage) -> None:
        self.storage, self.lock = storage, Lock()
        self.began: dict[int, str] = {}
        self.studies: dict[int, tuple[optuna.Study, StudyRecord | None]] = {}

    def of(self, study_id: int) -> StudyRecord | None:
        """The record of the study; None if there is no such study, or it is not one of this project."""
        with self.lock:
            try:
                began = self.storage.get_study_user_attrs(study_id)["sessions"][0]["time"]
                if self.began.get(study_id) != began:  # new, or another one that got the number of a deleted study
                    name = self.storage.get_study_name_from_id(study_id)
                    self.studies[study_id] = optuna.load_study(study_name=name, storage=self.storage), None
                    self.began[study_id] = began
                optuna_study, before = self.studies[study_id]
                record = StudyRecord.of(optuna_study, before)
            except DAMAGED:
                return None
            self.studies[study_id] = optuna_study, record
            return record


def make_server_for(storage: str, port: int) -> WSGIServer:
    """A server that is bound to the port, on HOST; raises InputError if it is taken, or there is no such storage."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    connected = connect_to_read(storage)
    application = optuna_dashboard.wsgi(connected, artifact_store=AllPlaces(connected, storage))
    shown = for_its_own_pages(with_style(with_equal_lengths(application, Records(connected))))
    try:
        return make_server(HOST, port, shown, server_class=Server, handler_class=Quiet)
    except OSError as error:
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise InputError(f"port {port} {why}: give another with --port, such as --port {port + 1}") from error


def for_its_own_pages(application: Application) -> Application:
    """The same application, but requests of other pages are forbidden.

    A page of another site can let its own name lead to this machine (DNS rebinding). Its requests then reach the
    dashboard, which can delete studies, but name that other site as their host. The port may be another, as in a
    tunnel through ssh.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        if host.partition(":")[0] in (HOST, "localhost") and origin in (None, f"http://{host}"):
            environ.setdefault("HTTP_ACCEPT_ENCODING", "identity")  # which optuna-dashboard looks up
            return application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [f"Open the dashboard as http://{HOST}:{environ['SERVER_PORT']}/".encode()]

    return answer


def with_style(application: Application) -> Application:
    """The same application with STYLE in its pages."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/dashboard"):
            return application(environ, start_response)
        styled = STYLE.encode() + b"</head>"
        return changed(application, environ, start_response, lambda page: page.replace(b"</head>", styled))

    return answer


def with_equal_lengths(application: Application, records: Records) -> Application:
    """The same application, but its plots compare runs of equal length only (answers.py)."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = STUDY.fullmatch(environ["PATH_INFO"])
        if asked is None or environ["REQUEST_METHOD"] != "GET":
            return application(environ, start_response)
        if asked[2]:
            study = records.of(int(asked[1]))
            if study is None:
                return application(environ, start_response)
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(shown_importance(study)).encode()]

        def change(body: bytes) -> bytes:
            study = records.of(int(asked[1]))  # read later than the body, so it has every trial of it
            return body if study is None else json.dumps(shown_study(json.loads(body), study)).encode()

        return changed(application, environ, start_response, change)

    return answer


def changed(
    application: Application,
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    change: Callable[[bytes], bytes],
) -> Iterable[bytes]:
    """The application's answer with a changed body; an answer that is an error stays as it is."""
    begun: list[Any] = []
    body = b"".join(application(environ, lambda *start: begun.extend(start)))
    status, headers, *others = begun
    if status.startswith("200"):
        body = change(body)
        of_the_old_body = ("content-length", "etag", "last-modified")
        headers = [(name, value) for name, value in headers if name.lower() not in of_the_old_body]
    start_response(status, headers, *others)
    return [body]
