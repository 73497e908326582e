"""User errors, each in one message: what was required, what was given, what to type."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Invalid user input; commands print its message without a traceback.

    Not a ValueError, because tyro catches those and prints them in its own box.
    """


def unknown(kind: str, given: str, valid: Iterable[str]) -> InputError:
    """The error for an unknown name: it lists the valid names and suggests the closest one.

    >>> print(unknown("family", "cosin", ["cosine", "step"]))
    unknown family 'cosin': did you mean 'cosine'? Valid: cosine, step
    """
    names = list(valid)
    nearest = get_close_matches(given, names, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return InputError(f"unknown {kind} {given!r}: {hint}Valid: {', '.join(names)}")


def require(condition: bool, what: str, given: object) -> None:
    """Raise an InputError that says what is required and what was given, unless the condition holds."""
    if not condition:
        raise InputError(f"{what}, but {given!r} was given")


def require_at_least(least: int, options: object, *names: str) -> None:
    """Raise an InputError for the first of the named option fields that is below `least`, naming its flag."""
    for name in names:
        given = getattr(options, name)
        require(given >= least, f"--{name.replace('_', '-')} must be at least {least}", given)
