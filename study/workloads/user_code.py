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


def digest(value: Any) -> str:
    """A SHA-256 of a function and all that it depends on, as far as Python can tell.

    That is its source, what is bound to it, its defaults, the variables of outer functions and the plain values and
    functions of its module that it uses; of an object its class and its attributes; of anything else how it is printed.
    """
    return hashlib.sha256("\n".join(described(value, set())).encode()).hexdigest()


def described(value: Any, seen: set[int]) -> Iterator[str]:
    """Lines that are equal for equal values. seen: ids of the functions and objects that are described already."""
    if isinstance(value, PLAIN):
        yield repr(value)
        return
    parts: list[Any]
    if isinstance(value, tuple | list):
        parts = list(value)
    elif isinstance(value, dict):
        parts = [part for item in value.items() for part in item]
    elif isinstance(value, partial):
        parts = [value.func, value.args, value.keywords]
    elif id(value) in seen:
        return
    elif inspect.isfunction(value):
        yield source_of(value)
        yield repr([one for one in value.__code__.co_consts if isinstance(one, PLAIN)])  # one of two lambdas in a line
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        used = [value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__]
        own = [one for one in used if isinstance(one, PLAIN) or getattr(one, "__module__", None) == value.__module__]
        parts = [value.__defaults__, value.__kwdefaults__, cells, own]
    elif isinstance(value, type):
        yield source_of(value)
        parts = []
    elif callable(value) and hasattr(value, "__dict__"):
        parts = [type(value), vars(value)]
    else:
        yield repr(value)
        parts = []
    if not isinstance(value, tuple | list | dict | partial):  # these may be gone, and their ids others'
        seen.add(id(value))
    for part in parts:
        yield from described(part, seen)


PLAIN = (int, float, complex, str, bytes, bool, type(None))
"""Values of a module that a function may use as constants."""


def source_of(value: Any) -> str:
    """The source of a function or a class, or its compiled code if the source is not to be had."""
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        code = getattr(value, "__code__", None)
        return f"{code.co_code!r} {code.co_consts!r}" if code else path_of(value)
