"""What code of the user's raises, in one message that names the line of theirs."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import search_spaces
from search_spaces.errors import InputError, words_of

INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages."""
GENERATED = ("<frozen ", "<string>")
"""Code without a file has names that begin so, such as the `__init__` of a dataclass."""
OURS = (Path(search_spaces.__file__).parent, Path(__file__).parents[1])
"""Folders of this project's code."""
OTHERS = (Path(sysconfig.get_path("stdlib")), *OURS)
"""Folders of Python's own code, and of ours."""


@contextmanager
def users_code(what: str, passes: Callable[[BaseException], bool] | None = None) -> Iterator[None]:
    """Raise an InputError that begins with `what` for anything that code of the user's raises, sys.exit() included.

    KeyboardInterrupt passes, since it may be Ctrl-C: see `cli.run`. passes: which other errors do; None for no others.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if passes and passes(error):
            raise
        raise InputError(f"{what}: {failure(error)}") from error


def failure(error: BaseException) -> str:
    """The error and its location, in one line: the last line of the user's own that led to it, if there is one.

    >>> try:
    ...     {}["key"]
    ... except KeyError as error:
    ...     print(failure(error).partition(" (")[0])
    KeyError: 'key'
    """
    message = words_of(error)
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {message}"
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if is_users(frame.filename)), frames[-1])
    return f"{type(error).__name__}: {message} ({Path(last.filename).name}, line {last.lineno})"


def is_of_ours(error: BaseException) -> bool:
    """Whether a line of this project itself has raised it, not what it called."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and not set(OURS).isdisjoint(Path(frames[-1].filename).parents)


def is_users(file: str) -> bool:
    """Whether code of this file is the user's: not of an installed package, of Python or of this project."""
    path = Path(file)
    others = file.startswith(GENERATED) or not set(INSTALLED).isdisjoint(path.parts)
    return not others and set(OTHERS).isdisjoint(path.parents)
