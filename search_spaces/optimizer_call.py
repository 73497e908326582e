"""The code that makes an optimizer, which a database may hold: whether it is the one call that it must be.

Also the same call with another value of an argument.
"""

from __future__ import annotations

import ast
import builtins


def is_optimizer_call(code: str) -> bool:
    """Whether the code, with `{lr}` for the learning rate, is one call on one line that makes an optimizer.

    Its first argument is made of the parameters of `model`, or its only one is the rate. It may call nothing else than
    methods of the model. The others are plain values, none of them but a weight decay where it takes no rate: so it
    calls no function that would make something else of them.

    >>> is_optimizer_call("torch.optim.SGD(model.parameters(), lr={lr})"), is_optimizer_call("os.system('id')")
    (True, False)
    """
    try:
        call = ast.parse(code.replace("{lr}", "0.1"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if not isinstance(call, ast.Call) or "\n" in code or "\r" in code or root(call.func) in (None, *dir(builtins)):
        return False
    names = [keyword.arg for keyword in call.keywords]
    if not call.args:
        return names == ["lr"] and is_plain(call.keywords[0].value)
    first, *others = call.args
    return (
        is_of_model(first)
        and all(isinstance(one, ast.List) for one in others)
        and all(map(is_plain, [*others, *(keyword.value for keyword in call.keywords)]))
        and ("lr" in names or (set(names) <= {"weight_decay"} and not others))
        and not any(node.attr.startswith("__") for node in ast.walk(call) if isinstance(node, ast.Attribute))
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


OF_MODEL = (
    *(ast.Name, ast.Attribute, ast.Call, ast.Constant, ast.List, ast.Tuple, ast.Dict),
    *(ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.Compare, ast.cmpop, ast.expr_context),
)
"""What may stand in an expression of a model's parameters: groups of them, and those that meet a condition."""


def is_of_model(expression: ast.expr) -> bool:
    """Whether this is the model, something of it, or a collection of such things and of plain values by name."""
    nodes = list(ast.walk(expression))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    called = {root(node.func) for node in nodes if isinstance(node, ast.Call)}
    bound = {
        node.target.id for node in nodes if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name)
    }
    parts = expression.elts if isinstance(expression, ast.List | ast.Tuple) else [expression]
    return (
        all(isinstance(node, OF_MODEL) for node in nodes)
        and "model" in names - bound
        and names <= {"model", *bound}
        and called <= {"model"}
        and not any(isinstance(part, ast.Constant) for part in parts)
    )


def is_plain(value: ast.expr) -> bool:
    """Whether this is a number, a text, a truth value or None, or a collection of these."""
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError):
        return False
    return True


def root(function: ast.expr) -> str | None:
    """The first name of a dotted one; None for anything else that is called."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else None
