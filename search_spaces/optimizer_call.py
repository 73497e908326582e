"""The code that makes an optimizer, which a database may hold: whether it is the one call that it must be.

Also the same call with another value of an argument.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Set


def is_optimizer_call(code: str) -> bool:
    """Whether the code, with `{lr}` for the learning rate, is one call on one line that makes an optimizer.

    Its first argument is made of the parameters of `model`, or its only one is the rate. It may call nothing else than
    methods of the model. The others are plain values; without a rate, only a weight decay.

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
    by_place = bool(others) and is_numeral(others[0])
    return (
        is_of_model(first, {"model"})
        and all(isinstance(one, ast.List) or is_numeral(one) for one in others)
        and all(map(is_plain, [*others, *(keyword.value for keyword in call.keywords)]))
        and ("lr" in names or by_place or (set(names) <= {"weight_decay"} and not others))
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


def is_of_model(node: ast.expr, known: Set[str]) -> bool:
    """Whether this is the model, something of it, or a collection of such things and of groups of parameters.

    known: the names that stand for the model and for what a comprehension takes from it.
    """
    match node:
        case ast.Name(name):
            return name in known
        case ast.Attribute(value):
            return is_of_model(value, known)
        case ast.Call(function, arguments, keywords):
            values = [*arguments, *(keyword.value for keyword in keywords)]
            return isinstance(function, ast.Attribute) and root(function) == "model" and all(map(is_plain, values))
        case ast.List(parts) | ast.Tuple(parts):
            return bool(parts) and all(is_of_model(part, known) or is_group(part, known) for part in parts)
        case ast.ListComp(part, loops) | ast.GeneratorExp(part, loops):
            for loop in loops:
                if not is_of_model(loop.iter, known):
                    return False
                targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
                known = known | {target.id for target in targets if isinstance(target, ast.Name)}
                if not all(is_condition(one, known) for one in loop.ifs):
                    return False
            return is_of_model(part, known) or is_group(part, known)
    return False


def is_group(node: ast.expr, known: Set[str]) -> bool:
    """Whether this is a group of parameters: a dict of them, by the name `params`, and of plain values."""
    if not isinstance(node, ast.Dict):
        return False
    given = {
        key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }
    params = given.pop("params", None)
    plain = len(given) + 1 == len(node.keys) and all(map(is_plain, given.values()))
    return plain and params is not None and is_of_model(params, known)


def is_condition(node: ast.expr, known: Set[str]) -> bool:
    """Whether this only looks at the model's parameters and their names."""
    match node:
        case ast.Compare(left, _, others):
            return all(is_condition(one, known) for one in [left, *others])
        case ast.BoolOp(_, values):
            return all(is_condition(one, known) for one in values)
        case ast.UnaryOp(_, value):
            return is_condition(value, known)
        case ast.Call(function, arguments, []):
            return root(function) in known and all(map(is_plain, arguments))
    return is_plain(node) or is_of_model(node, known)


def is_plain(value: ast.expr) -> bool:
    """Whether this is a number, a text, a truth value or None, a product of numbers, or a collection of these."""
    if isinstance(value, ast.BinOp):
        return isinstance(value.op, ast.Mult | ast.Div) and is_numeral(value.left) and is_numeral(value.right)
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError):
        return False
    return True


def is_numeral(value: ast.expr) -> bool:
    """Whether this is a number, as the learning rate is."""
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float)


def root(function: ast.expr) -> str | None:
    """The first name of a dotted one; None for anything else that is called."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else None
