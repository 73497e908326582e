"""No two public functions or classes share a name."""

import ast
from collections import defaultdict

from tests.helpers import ROOT


def public_names(module):
    """The public functions and classes that a module defines at its top level."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    named = (node.name for node in ast.parse(module.read_text()).body if isinstance(node, definitions))
    return {name for name in named if not name.startswith("_")}


def names_that_stand_twice():
    """Name -> the modules that define it, for each name that several modules define."""
    modules = defaultdict(list)
    for package in ("search_spaces", "study"):
        for module in sorted((ROOT / package).rglob("*.py")):
            for name in public_names(module):
                modules[name].append(str(module.relative_to(ROOT)))
    return {name: found for name, found in sorted(modules.items()) if len(found) > 1}


def test_a_module_s_names_are_its_public_functions_and_classes(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    def g(): ...\n\nclass C:\n    def h(self): ...\n\ndef _p(): ...\n\nx = 1\n")
    assert public_names(module) == {"f", "C"}


def test_no_public_name_stands_in_two_modules():
    twice = names_that_stand_twice()
    assert not twice, "\n" + "\n".join(f"{name}: {', '.join(modules)}" for name, modules in twice.items())
