"""User code named as `package.module:function`: imported and called, with every error reported in one message."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.machinery import PathFinder
from pathlib import Path
from types import CodeType
from typing import Any

from search_spaces.errors import InputError, require, unknown
from study.workloads.raised import failure, users_code

VERSIONED = ("torch", "torchvision")
"""Packages whose versions are recorded instead of their files."""


def is_imported(name: str) -> bool:
    """Whether the name has the form `package.module:function`."""
    module, colon, function = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), function])


def imported(name: str, flag: str) -> Callable[..., Any]:
    """Import the function (or class) with this name; the current directory is searched, too.

    flag: the option that named it, for messages. Raises InputError if it cannot be imported.
    """
    require(is_imported(name), f"{flag} needs package.module:function", name)
    module_name, _, function_name = name.partition(":")
    refuse_hidden(module_name, flag)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does; worker processes get the same path
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise InputError(f"{flag} {name}: {module_name} needs {error.name}: pip install it") from error
        where = f"the current directory ({os.getcwd()}) and the installed packages"
        raise InputError(f"{flag} {name}: no module {error.name!r} in {where}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"{flag} {name}: {failure(error)}") from error
    function = getattr(module, function_name, None)
    if function is None:
        valid = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown("function", function_name, valid, module_name)
    require(callable(function), f"{flag} must name a function or a class", name)
    return function  # type: ignore[no-any-return]  # whatever the user has written


def refuse_hidden(name: str, flag: str) -> None:
    """Raise InputError if the current directory has a module of this name, but another one of its name is loaded."""
    top = name.partition(".")[0]
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if loaded is None:
        return
    for file in (Path(f"{top}.py"), Path(top, "__init__.py"), Path(*name.split(".")).with_suffix(".py")):
        if file.exists() and file.resolve() != Path(loaded).resolve() and Path(top).resolve() != Path(loaded).parent:
            raise InputError(
                f"{flag} cannot import {file} in the current directory: the name {top!r} is that of {loaded}, which is "
                "loaded already: rename yours"
            )


def call(function: Callable[..., Any], flag: str, **offered: Any) -> Any:
    """Call a user's function with those of the offered arguments that it accepts.

    Raises InputError if it requires others, or fails.
    """
    name = path_of(function)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError as error:
        raise InputError(f"{flag} {name}: its signature cannot be read: wrap it in a Python function") from error
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.kind not in several and parameter.name not in offered:
            raise InputError(
                f"{flag} {name} requires {parameter.name!r}, but can only be given {', '.join(offered) or 'nothing'}: "
                "wrap it in a function that sets it"
            )
    bound = function.keywords if isinstance(function, partial) else {}
    taken = {parameter.name for parameter in parameters} - set(bound)
    with users_code(f"{flag} {name} failed"):
        return function(**{name: value for name, value in offered.items() if name in taken})


def path_of(function: Callable[..., Any]) -> str:
    """The function's name as `package.module:function`; for a `functools.partial`, that of its function."""
    while isinstance(function, partial):
        function = function.func
    return f"{function.__module__}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def sources(*names: str | None) -> dict[str, str]:
    """A SHA-256 of the source file of each named module, by module name. names: `package.module:function` or others."""
    found = {}
    for name in names:
        if name and is_imported(name):
            module = name.partition(":")[0]
            file = inspect.getsourcefile(sys.modules[module]) if module in sys.modules else None
            if file and module.partition(".")[0] not in VERSIONED:
                found[module] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return found


def changed_modules(digests: Mapping[str, str]) -> list[str]:
    """The files of those modules that have another SHA-256 than this; none of them is imported."""
    found = ((file_of(module), digest) for module, digest in digests.items())
    return [os.path.relpath(file) for file, digest in found if file and digest != sha256_of(file)]


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def file_of(module: str) -> Path | None:
    """The file that a module would be imported from; None if it has no file. Nothing is imported, no package either."""
    places: list[str] | None = [os.getcwd(), *sys.path]
    spec = None
    parts = module.split(".")
    for number in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:number]), places)
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def is_importable(function: Callable[..., Any]) -> bool:
    """Whether another process can import this function by its `path_of`: no lambda, and not from a notebook."""
    module, _, name = path_of(function).partition(":")
    return module != "__main__" and getattr(sys.modules.get(module), name, None) is function


def functions_in(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The function itself, or for a partial its function and the functions among its arguments."""
    if isinstance(function, partial):
        for part in (function.func, *function.args, *function.keywords.values()):
            if callable(part):
                yield from functions_in(part)
    else:
        yield function


def bare_name(function: Callable[..., Any]) -> str:
    """The function's name without its module and enclosing functions."""
    return path_of(function).rpartition(":")[2].rpartition(".")[2]


def digest(value: Any) -> str:
    """A SHA-256 of a function and everything in its own module that it depends on, equal in every process.

    It covers the source, bound arguments, defaults, closure variables, and the values, functions and classes of the
    module that the function uses; for an object, its class and attributes. Objects of other modules count by name only.
    """
    return hashlib.sha256("\n".join(described(value, set())).encode()).hexdigest()


def described(value: Any, seen: set[int]) -> Iterator[str]:
    """Lines that are equal for equal values. seen: ids of functions, classes and objects already described."""
    if isinstance(value, PLAIN):
        yield repr(value)
    elif isinstance(value, set | frozenset):
        yield from sorted(map(repr, value))
    elif isinstance(value, partial):
        yield from described((value.func, value.args, value.keywords), seen)
    elif isinstance(value, dict | tuple | list):
        for part in value.items() if isinstance(value, dict) else value:
            yield from described(part, seen)
    elif id(value) not in seen:
        seen.add(id(value))
        for part in parts_of(value):
            yield from described(part, seen)


def parts_of(value: Any) -> Iterator[Any]:
    """The parts of a function, a class or an object that its digest covers."""
    if inspect.isfunction(value):
        names, constants = used_by(value.__code__)
        yield (source_of(value), constants)  # constants distinguish two lambdas on one line
        yield (value.__defaults__, value.__kwdefaults__, [cell.cell_contents for cell in value.__closure__ or ()])
        for name in names:
            used = value.__globals__.get(name)
            home = getattr(used, "__module__", None) or type(used).__module__
            yield (name, used) if isinstance(used, HELD) or home == value.__module__ else name
    elif isinstance(value, type):
        yield f"{value.__module__}.{value.__qualname__}"
        yield from (one for one in vars(value).values() if inspect.isfunction(one))
        yield from (base for base in value.__bases__ if base.__module__ == value.__module__)
    elif inspect.ismodule(value) or inspect.isbuiltin(value):
        yield str(getattr(value, "__name__", ""))
    elif " at 0x" in repr(value):  # which differs from process to process
        yield from (type(value), vars(value) if hasattr(value, "__dict__") else None)
    else:
        yield repr(value)


def used_by(code: CodeType) -> tuple[list[str], list[Any]]:
    """(names, plain constants) of compiled code, including nested code."""
    names, constants = list(code.co_names), [one for one in code.co_consts if isinstance(one, PLAIN)]
    for inner in (one for one in code.co_consts if isinstance(one, CodeType)):
        more_names, more_constants = used_by(inner)
        names, constants = names + more_names, constants + more_constants
    return list(dict.fromkeys(names)), constants


PLAIN = (int, float, complex, str, bytes, bool, type(None))
HELD = (*PLAIN, tuple, list, dict, set, frozenset)
"""Types of global variables that are digested by value, from any module."""


def source_of(function: Any) -> str:
    """The source of a function, or its compiled code if the source is unavailable."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(function.__code__.co_code)
