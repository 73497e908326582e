"""The code that makes an optimizer, which a database may hold: whether it is the one call that it must be.

Also the same call with another value of an argument.
"""

from __future__ import annotations

import ast
import builtins


def is_optimizer_call(code: str) -> bool:
    """Whether the code, with `{lr}` for the learning rate, is one call on one line that makes an optimizer.

    Its first argument is made of `model`, or its only one is the rate. It may call nothing else than methods of the
    model.

    >>> is_optimizer_call("torch.optim.SGD(model.parameters(), lr={lr})"), is_optimizer_call("os.system('id')")
    (True, False)
    """
    try:
        call = ast.parse(code.replace("{lr}", "0.1"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if not isinstance(call, ast.Call) or "\n" in code or "\r" in code or root(call.func) in (None, *dir(builtins)):
        return False
    within = [node for node in ast.walk(call) if node is not call]
    others = [root(node.func) for node in within if isinstance(node, ast.Call)]
    names = [node.id if isinstance(node, ast.Name) else node.attr for node in within if isinstance(node, NAMES)]
    return (
        (any(map(is_model, ast.walk(call.args[0]))) if call.args else [one.arg for one in call.keywords] == ["lr"])
        and all(one == "model" for one in others)
        and not any(name.startswith("__") for name in names)
        and not any(isinstance(node, ast.Lambda | ast.NamedExpr | ast.JoinedStr) for node in within)
    )


def with_argument(code: str, name: str, value: float) -> str | None:
    """The call with this value of an argument that it has by name; None if it has not.

    >>> with_argument("torch.optim.SGD(model.parameters(), lr={lr}, weight_decay=0.1)", "weight_decay", 0.02)
    'torch.optim.SGD(model.parameters(), lr={lr}, weight_decay=0.02)'
    """
    call = ast.parse(code, mode="eval").body  # {lr} is a set
    assert isinstance(call, ast.Call)
    given = next((one.value for one in call.keywords if one.arg == name), None)
    if given is None or given.end_col_offset is None:
        return None
    text = code.encode()  # offsets count bytes
    return (text[: given.col_offset] + repr(value).encode() + text[given.end_col_offset :]).decode()


NAMES = (ast.Name, ast.Attribute)


def is_model(node: ast.AST) -> bool:
    """Whether this is the name `model`."""
    return isinstance(node, ast.Name) and node.id == "model"


def root(function: ast.expr) -> str | None:
    """The first name of a dotted one; None for anything else that is called."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else None
