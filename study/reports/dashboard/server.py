"""Serves optuna-dashboard on this machine only, with the artifacts of the trials."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna_dashboard
from optuna.artifacts import FileSystemArtifactStore

from search_spaces.errors import InputError
from study.storage.studies import connect_to_read
from study.storage.url import artifact_folder

HOST = "127.0.0.1"
"""There is no login, and whoever reaches the dashboard can delete studies."""
STYLE = (
    b"<style>main{min-width:0}main .MuiTypography-body1{white-space:normal!important;overflow-wrap:anywhere}</style>"
)
"""The dashboard puts an attribute on one line, of up to 1024 characters, and has no setting for it: without this the
page of a trial, with its record, is several screens wide."""
OF_THE_PAGE_ALONE = ("content-length", "etag", "last-modified")
"""Headers that are wrong once the style is in it."""


class Server(ThreadingMixIn, WSGIServer):
    """Answers requests while others are answered."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Prints nothing for a request that was answered."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def make_server_for(storage: str, port: int) -> WSGIServer:
    """A server that is bound to the port, on HOST; raises InputError if it is taken, or there is no such storage."""
    connected = connect_to_read(storage)
    application = optuna_dashboard.wsgi(connected, artifact_store=FileSystemArtifactStore(artifact_folder(storage)))
    try:
        return make_server(HOST, port, with_wrapped_lines(application), server_class=Server, handler_class=Quiet)
    except OSError as error:
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise InputError(f"port {port} {why}: give another with --port, such as --port {port + 1}") from error


def with_wrapped_lines(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The same application, but long lines of its pages are wrapped."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/dashboard"):
            return application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *others: Any) -> Any:
            kept = [(name, value) for name, value in headers if name.lower() not in OF_THE_PAGE_ALONE]
            return start_response(status, kept, *others)

        return [b"".join(application(environ, start)).replace(b"</head>", STYLE + b"</head>")]

    return answer
