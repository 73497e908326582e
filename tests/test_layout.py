"""The tests mirror the tree, and no test module imports another."""

import ast

import pytest

from tests.helpers import ROOT

TESTS = ROOT / "tests"
TEST_MODULES = {path.stem for path in TESTS.rglob("test_*.py")}


def imported(source):
    """The parts of all dotted names that a module imports, also in a program that it holds as a string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            try:
                yield from imported(node.value)
            except SyntaxError:
                continue  # a sentence, not a program


@pytest.mark.parametrize("statement", ["from tests.search import {}", "import tests.search.{} as other", "import {}"])
def test_an_import_is_found_also_in_a_string(statement):
    statement = statement.format("test_rungs")
    for source in (statement, f"def f():\n    {statement}", f"program = {statement!r}"):
        assert "test_rungs" in set(imported(source)) & TEST_MODULES


def test_no_test_module_is_imported():
    found = {
        str(path.relative_to(TESTS)): TEST_MODULES & set(imported(path.read_text())) for path in TESTS.rglob("*.py")
    }
    assert {path: modules for path, modules in found.items() if modules} == {}


def test_every_directory_mirrors_a_room():
    """tests/search_spaces and tests/scripts mirror those folders, every other directory one of study/.

    tests/fuzz drives the readers of all rooms.
    """
    directories = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py") if path.parent.name != "fuzz"}
    mirrored = {
        directory: ROOT / directory
        if directory.parts[:1] in [("search_spaces",), ("scripts",)]
        else ROOT / "study" / directory
        for directory in directories
    }
    assert [str(directory) for directory, room in mirrored.items() if not room.is_dir()] == []


def test_the_layout_names_every_room():
    """And no other."""
    layout = (ROOT / "CONTRIBUTING.md").read_text().partition("## Layout")[2].partition("```")[2].partition("```")[0]
    named = {line.split()[0] for line in layout.splitlines() if line.startswith("  ") and line.split()[0].endswith("/")}
    rooms = {f"{path.parent.name}/" for path in (ROOT / "study").glob("*/__init__.py")}
    assert named == rooms


def test_every_room_says_in_a_sentence_what_it_is():
    for path in [*(ROOT / "study").rglob("__init__.py"), *(ROOT / "search_spaces").rglob("__init__.py")]:
        said = ast.get_docstring(ast.parse(path.read_text()))
        assert said, path
        assert said.splitlines()[0].endswith((".", ":")), path
