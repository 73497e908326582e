"""What the user names as `package.module:function`: found, called, and every mistake told in one message."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError, require, unknown

VERSIONED = ("torch", "torchvision")
"""Packages whose versions are recorded, so that their files need not be."""


def is_imported(name: str) -> bool:
    """Whether the name is of the form `package.module:function`."""
    module, colon, function = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), function])


def imported(name: str, flag: str) -> Callable[..., Any]:
    """The function (or class) of this name; modules are also looked for in the current directory.

    Raises InputError where there is none. flag: the option that named it, for the message.
    """
    require(is_imported(name), f"{flag} needs package.module:function", name)
    module_name, _, function_name = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` has it; worker processes are given the same path
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise InputError(f"{flag} {name}: {module_name} needs {error.name}: pip install it") from error
        where = f"the current directory ({os.getcwd()}) and the installed packages"
        raise InputError(f"{flag} {name}: no module {error.name!r} in {where}") from error
    except Exception as error:
        raise InputError(f"{flag} {name}: {failure(error)}") from error
    function = getattr(module, function_name, None)
    if function is None:
        valid = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown(f"function in {module_name}", function_name, valid)
    require(callable(function), f"{flag} must name a function or a class", name)
    return function  # type: ignore[no-any-return]  # whatever the user has written


def call(function: Callable[..., Any], flag: str, **offered: Any) -> Any:
    """Call a user's function with those of the offered arguments that it has parameters for.

    Raises InputError where it needs others, or fails.
    """
    name = path_of(function)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError as error:
        raise InputError(f"{flag} {name}: its parameters cannot be found: wrap it in a function of your own") from error
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.kind not in several and parameter.name not in offered:
            raise InputError(
                f"{flag} {name} needs {parameter.name!r}, but what it may take is {', '.join(offered) or 'nothing'}: "
                "wrap it in a function of your own"
            )
    taken = {parameter.name for parameter in parameters}
    try:
        return function(**{name: value for name, value in offered.items() if name in taken})
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{flag} {name} failed: {failure(error)}") from error


def path_of(function: Callable[..., Any]) -> str:
    """What `package.module:function` would name it; what a `functools.partial` is of."""
    while isinstance(function, partial):
        function = function.func
    return f"{function.__module__}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def failure(error: BaseException) -> str:
    """What went wrong and where, in one line.

    >>> try:
    ...     {}["key"]
    ... except KeyError as error:
    ...     print(failure(error).partition(" (")[0])
    KeyError: 'key'
    """
    said = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {said}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {said} ({Path(last.filename).name}, line {last.lineno})"


def sources(*names: str | None) -> dict[str, str]:
    """A SHA-256 of the file of each module that is named here, by the module's name: its code decides the results."""
    found = {}
    for name in names:
        if name and is_imported(name):
            module = name.partition(":")[0]
            file = inspect.getsourcefile(sys.modules[module]) if module in sys.modules else None
            if file and module.partition(".")[0] not in VERSIONED:
                found[module] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return found


def is_importable(function: Callable[..., Any]) -> bool:
    """Whether another process finds this very function under its `path_of`: not a lambda, nor one of a notebook."""
    module, _, name = path_of(function).partition(":")
    return module != "__main__" and getattr(sys.modules.get(module), name, None) is function


def functions_in(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function, or that of a partial and the functions bound to it."""
    if isinstance(function, partial):
        for part in (function.func, *function.args, *function.keywords.values()):
            if callable(part):
                yield from functions_in(part)
    else:
        yield function


def digest(function: Callable[..., Any]) -> str:
    """A SHA-256 of a function's source, or of its compiled code if the source is not to be had."""
    while isinstance(function, partial):
        function = function.func
    try:
        code = inspect.getsource(function).encode()
    except (OSError, TypeError):
        compiled = getattr(function, "__code__", None)
        code = compiled.co_code + repr(compiled.co_consts).encode() if compiled else path_of(function).encode()
    return hashlib.sha256(code).hexdigest()
