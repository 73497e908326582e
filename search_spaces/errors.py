"""User errors, each in one message: what was required, what was given, what to type."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class InputError(Exception):
    """Invalid user input; commands print its message without a traceback."""


MEANT = {"gpu": "cuda"}
"""What is meant by a name that is spelt like another one."""
LONGEST_SHOWN = 200
"""Maximum number of characters of what was given."""
LONGEST_QUOTED = 400
"""Maximum number of characters of another's message."""
MOST_LISTED = 40
"""Maximum number of names in a message."""


def unknown(
    kind: str, given: str, valid: Iterable[str], place: str = "", nearest: Sequence[str] | None = None
) -> InputError:
    """The error for an unknown name: it suggests the closest valid name and lists the others.

    place: where the name was looked up. nearest: what to suggest instead of the closest valid name.

    >>> print(unknown("family", "cosin", ["cosine", "step"]))
    unknown family 'cosin': did you mean 'cosine'? Valid: cosine, step
    >>> print(unknown("key", "peak", ["low", "high"], "space.toml"))
    unknown key 'peak' in space.toml. Valid: low, high
    """
    names = list(valid)
    if nearest is None:
        nearest = [MEANT[given]] if MEANT.get(given) in names else get_close_matches(given, names, n=1)
    where = f" in {place}" if place else ""
    hint = f": did you mean {nearest[0]!r}?" if nearest else "."
    listed = names if len(names) <= MOST_LISTED else get_close_matches(given, names, n=MOST_LISTED // 3, cutoff=0.0)
    others = f", and {len(names) - len(listed)} others" if len(listed) < len(names) else ""
    return InputError(f"unknown {kind} {brief(given)}{where}{hint} Valid: {', '.join(listed)}{others}")


def brief(given: object) -> str:
    """What was given, as Python writes it; the middle of what is long is left out.

    >>> brief("abc"), len(brief("x" * 10**6)) <= LONGEST_SHOWN
    ("'abc'", True)
    """
    try:
        shown = repr(given)
    except (ValueError, RecursionError):  # an integer of thousands of digits; a nest of lists
        return f"a very long {type(given).__name__}"
    return without_middle(shown)


def words_of(error: BaseException | str) -> str:
    """What the code of others says is wrong, in one printable line, to quote in a message of ours.

    Libraries quote damaged files: megabytes of them, and characters that a terminal would obey.

    >>> words_of(ValueError("bad header:\\n  \\x1b[31m")), words_of(EOFError())
    ('bad header: ?[31m', 'EOFError')
    """
    words = " ".join(str(error).split()) or type(error).__name__
    return without_middle("".join(letter if letter.isprintable() else "?" for letter in words), LONGEST_QUOTED)


def without_middle(text: str, most: int = LONGEST_SHOWN) -> str:
    """The text; of more than `most` characters the middle is left out."""
    half = most // 2 - 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def require(condition: bool, what: str, given: object) -> None:
    """Raise an InputError that says what is required and what was given, unless the condition holds."""
    if not condition:
        raise InputError(f"{what}, but {brief(given)} was given")


def require_text(given: str) -> None:
    """Raise an InputError for text that no file or database can hold: bytes that the locale could not read."""
    try:
        given.encode()
    except UnicodeEncodeError as error:
        shown = given.encode("utf-8", "backslashreplace").decode()
        raise InputError(f"'{shown}' is not UTF-8, or the locale is not: type export LC_ALL=C.UTF-8") from error


def require_at_least(least: int, options: object, *names: str) -> None:
    """Raise an InputError for the first of the named option fields that is below `least`, naming its flag."""
    for name in names:
        given = getattr(options, name)
        require(given >= least, f"--{name.replace('_', '-')} must be at least {least}", given)
