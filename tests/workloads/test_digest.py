"""The digest of a function: it changes with everything the function depends on, and is equal across processes."""

import subprocess
import sys
from functools import partial

import pytest

from study.workloads.user_code import digest
from tests.helpers import ROOT

WIDTH = 3
SIZES = {"width": 3}


class Plain:
    """Its repr holds its address."""

    def __init__(self):
        self.width = 3


SHARED = Plain()


def uses_a_dict():
    return SIZES["width"]


def uses_an_object():
    return SHARED.width


def uses_a_global_within():
    return [WIDTH for _ in range(2)]


class UsesAGlobal:
    def width(self):
        return WIDTH


def helper():
    return 1


def uses_a_global():
    return WIDTH


def uses_a_function():
    return helper()


def within(variable):
    def inner(default=1):
        return variable + default

    return inner


class Maker:
    def __init__(self, width):
        self.width = width

    def __call__(self):
        return self.width


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (partial(max, 1), partial(max, 2)),
        (partial(max, default=1), partial(max, default=2)),
        (partial(within, 1), partial(within, 2)),
        (within(1), within(2)),
        (Maker(1), Maker(2)),
        (uses_a_global, uses_a_function),
        ((within(1), Maker(1)), (within(1), Maker(2))),
        (lambda: 1, lambda: 2),
    ],
)
def test_what_would_make_something_else_has_another_digest(one, other):
    assert digest(one) == digest(one)
    assert digest(one) != digest(other)


def test_what_a_function_uses_of_its_module_counts(monkeypatch):
    users = (uses_a_global, uses_a_global_within, UsesAGlobal, uses_a_dict, uses_a_function, uses_an_object)
    before = list(map(digest, users))
    monkeypatch.setattr(f"{__name__}.WIDTH", 4)
    monkeypatch.setitem(SIZES, "width", 4)
    monkeypatch.setattr(SHARED, "width", 4)
    monkeypatch.setattr(f"{__name__}.helper", within)
    assert not set(before) & set(map(digest, users))


EVERYTHING = (uses_a_function, uses_an_object, uses_a_global_within, UsesAGlobal, within(1), Maker(2), partial(max, 1))


def test_the_same_function_has_the_same_digest_in_another_process():
    program = f"from {__name__} import *; print(digest(EVERYTHING))"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == digest(EVERYTHING)


def test_a_function_that_calls_itself_has_a_digest():
    def again(n):
        return again(n - 1) if n else 0

    assert digest(again) == digest(again)
