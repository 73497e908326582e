"""Standalone source: functions of this package quoted with the imports and helpers that they need.

Exported code consists of the lines that were trained with, so the two cannot differ.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

OURS = "search_spaces."
"""Modules with this prefix are quoted; all others are imported."""


def body_of(method: Callable[..., Any], result: str = "return ") -> str:
    """The body of a method without its docstring and without `self.`, indented by four spaces.

    result: replaces each `return `, for example with `arguments = `.
    """
    source = without_type_comments(dedent(inspect.getsource(method)))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert function.returns is not None
    head = function.body[0] if ast.get_docstring(function) else function.returns
    lines = source.splitlines(keepends=True)[head.end_lineno :]
    text = re.sub(r"\bself\.", "", dedent("".join(lines)))
    return indent(re.sub(r"^(\s*)return ", rf"\g<1>{result}", text, flags=re.MULTILINE), " " * 4)


def without_type_comments(source: str) -> str:
    """The source without `type: ignore` comments."""
    return re.sub(r"  # type: ignore\S*", "", source)


def standalone(
    source: str,
    scope: Mapping[str, Any],
    imports: Iterable[str] = (),
    omitted: Collection[str] = (),
    quoted: Iterable[str] = (),
) -> str:
    """The source, preceded by everything that it uses: imports, and quoted functions, classes and constants.

    scope: global names and their values. imports: additional import lines. omitted: names that are not quoted.
    quoted: names that are, although the source does not use them.
    """
    modules: set[str] = set()
    members: dict[str, set[str]] = {}
    helpers: dict[str, str] = {}
    seen = {line.split()[1].partition(".")[0] for line in imports if not is_from(line)} | set(omitted)

    def gather(source: str, scope: Mapping[str, Any]) -> None:
        for name in names_in(source):
            if name in seen or name not in scope:
                continue
            seen.add(name)
            value = scope[name]
            if isinstance(value, ModuleType):
                modules.add(value.__name__)
            elif not callable(value):
                helpers[name] = f"{name} = {value!r}"
            elif value.__module__.startswith(OURS):
                own = without_type_comments(inspect.getsource(value)).strip()
                gather(own, vars(sys.modules[value.__module__]))
                helpers[name] = own
            else:
                members.setdefault(home(value), set()).add(name)

    gather("\n".join([source, *quoted]), scope)
    lines = {*imports, *(f"import {module}" for module in modules)}
    lines |= {f"from {module} import {', '.join(sorted(own, key=by_type))}" for module, own in members.items()}
    sections = [sorted(line for line in lines if is_standard(line) is which) for which in (True, False)]
    head = ["\n".join(sorted(section, key=is_from)) for section in sections if section]
    constants = [text for text in helpers.values() if not text.startswith(("def ", "class ", "@"))]
    blocks = [text for text in helpers.values() if text not in constants]
    head += ["\n".join(constants)] if constants else []
    code = "\n\n\n".join(part for part in ["\n\n".join(head), *blocks, source.strip()] if part)
    ast.parse(code)  # it is printed for people to run
    return code


def by_type(name: str) -> tuple[int, str]:
    """The order of names in an import, as linters want it: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name.lower())


def names_in(source: str) -> list[str]:
    """Every name used in the source, in order."""
    return list(dict.fromkeys(node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)))


def home(value: Any) -> str:
    """The shortest module path that exports the value: torch.optim for a class defined in torch.optim.optimizer."""
    path = value.__module__.split(".")
    modules = [".".join(path[: length + 1]) for length in range(len(path))]
    return next(name for name in modules if getattr(sys.modules.get(name), value.__name__, None) is value)


def is_standard(line: str) -> bool:
    """Whether an import line imports from the standard library."""
    return line.split()[1].partition(".")[0] in sys.stdlib_module_names


def is_from(line: str) -> bool:
    """Whether an import line has the form `from ... import`; these are sorted last."""
    return line.startswith("from ")
