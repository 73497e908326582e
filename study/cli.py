"""What every command shares: read the flags, run, and report a mistake in one message."""

from __future__ import annotations

import errno
import gc
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from search_spaces.errors import InputError
from study.flag_parser import read_flags

RENAMED = {
    "--least-updates": "--least-steps",
    "--trials-per-generation": "--trials-per-bracket",
    "--judge-seeds": "--confirm-seeds",
}
"""Flags that have a new name, by their old one."""

T = TypeVar("T")


SIGNALS: list[int] = []
"""The signals that this command has received. Without one, a KeyboardInterrupt was raised by the user's code."""


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle a signal as Python does, and note it."""
    SIGNALS.append(number)
    raise KeyboardInterrupt


class Interrupted(KeyboardInterrupt):
    """An interruption after which what was found, and what to do next, has been printed."""


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C and SIGTERM instead of raising at once; yields a function that says whether one came.

    An exception could be swallowed, or interrupt a write. The second signal does raise.
    Signals can only be handled in the main thread; in another, none is noted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        SIGNALS.append(number)
        if received or AT_ONCE:
            received.append(number)
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


AT_ONCE: list[bool] = []
"""Not empty while `interruption` lets the first signal raise."""


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt within `interruption`: nothing is written here, and it may take minutes."""
    AT_ONCE.append(True)
    try:
        yield
    finally:
        AT_ONCE.pop()


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import the modules of a command without collecting garbage, now and at the end: all that they make stays.

    Torch, Optuna and SciPy make a great number of objects, and Python would look through all of them while they are
    made and at the end of the process. If torch is loaded already, nothing is changed: the garbage may be the caller's.
    Until all is imported, Ctrl-C and SIGTERM end the process at once, as in early.py: an import may swallow exceptions.
    """
    if "torch" in sys.modules:
        yield
        return
    from study.early import end  # not above: it must be the first import of a script, and of no other

    ours = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is interrupt]
    gc.disable()
    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number in ours:
            signal.signal(number, interrupt)
        gc.freeze()
        gc.enable()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, and does not merely load its modules."""
    shell = sys.modules.get("IPython")
    return "ipykernel" in sys.modules and shell is not None and shell.get_ipython() is not None


def run_command(options: type[T], main: Callable[[T], None]) -> None:
    """Read the command line into `options` and run `main` with it; --help shows the docstring of their module."""

    def command() -> None:
        for word in sys.argv[1:]:
            if new := RENAMED.get(word.partition("=")[0].replace("_", "-")):
                raise InputError(f"{word} has a new name: type {new}")
        description = sys.modules[options.__module__].__doc__ or ""
        main(read_flags(options, sys.argv[1:], Path(sys.argv[0]).name, description))

    run(command)


class VisibleConsole(Console):
    """A console that shows control characters within what it prints, such as names of files, as `visible` does."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def plain_console(quiet: bool = False) -> Console:
    """A console that prints text as it is and leaves long lines for the terminal to wrap. quiet: it prints nothing."""
    return VisibleConsole(highlight=False, markup=False, emoji=False, soft_wrap=True, quiet=quiet)


HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a terminal obeys instead of showing them, or that are none; not tab and line feed."""


def visible(text: str) -> str:
    """Text without characters that a terminal would obey, such as those that set colours: they are shown by name.

    >>> print(visible("a\x1b[31mred"))
    a\\x1b[31mred
    """
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def run(command: Callable[[], None]) -> None:
    """Run a command as a user expects.

    A user's mistake is one message, with exit code 2. An interruption (Ctrl-C, SIGTERM) is one line, unless
    the command has printed its own, with exit code 130; a KeyboardInterrupt that the user's code raises is a mistake.
    If the results can no longer be read or written then, that message is the line.
    If the reader closes the pipe early (as `head` does), it exits with 1, as Python's own tools and rich do.
    A full disk is one message, too. Without a standard output, as in some daemons, nothing is printed.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # until the process ends
    SIGNALS.clear()
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGINT, interrupt)
    try:
        try:
            command()
        except SystemExit:  # raised by --help
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except InputError as error:
        print(visible(f"error: {error}"), file=sys.stderr)
        sys.exit(130 if SIGNALS else 2)
    except KeyboardInterrupt as error:
        if SIGNALS:
            if not isinstance(error, Interrupted):
                print(
                    "Interrupted: everything finished is kept; the same command continues, or begins again.",
                    file=sys.stderr,
                )
            sys.exit(130)
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        print(f"error: your code raised KeyboardInterrupt ({where})", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        if not reader_has_left():
            raise
        print_no_more()
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        print_no_more()
        where = error.filename or "what was found, or standard output"
        print(f"error: cannot write {where}: {error.strerror}. Finished trials are kept", file=sys.stderr)
        sys.exit(2)


def print_no_more() -> None:
    """Drop what is still to be flushed to standard output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_has_left() -> bool:
    """Whether standard output is a pipe that has no reader any more."""
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)  # errors are always reported
    return any(event & select.POLLERR for _, event in pipe.poll(0))


def write(path: Path | None, content: bytes) -> None:
    """Write all of it, to standard output if there is no path; raises InputError if that fails."""
    try:
        with open(1 if path is None else path, "wb", closefd=path is not None) as file:
            file.write(content)
    except BrokenPipeError:
        pass  # the reader closed the pipe, as `head` does
    except OSError as error:
        where = path or "standard output"
        raise InputError(f"cannot write {where}: {error.strerror}. Give a FILE in a folder that exists") from error
