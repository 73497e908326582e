"""Analysis, reports and known results know a study by its record alone."""

import ast

import pytest

from tests.helpers import ROOT

ROOMS = ("analysis", "reports", "evidence/known")
FILES = sorted(path for room in ROOMS for path in (ROOT / "study" / room).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "study")))
def test_a_study_is_known_by_its_record(path):
    nodes = list(ast.walk(ast.parse(path.read_text())))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not attributes & {"user_attrs", "stored"}
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    name = str(path.relative_to(ROOT / "study"))
    packages = {module.partition(".")[0] for module in imported}
    if name != "analysis/importance.py" and not name.startswith("reports/dashboard/"):
        assert "optuna" not in packages
    rooms = {".".join(module.split(".")[:2]) for module in imported if module.startswith("study.")}
    if name.startswith("analysis/"):
        assert rooms <= {"study.analysis", "study.storage", "study.objective"}
    if name.startswith("reports/"):
        assert "study.executors" not in rooms
    if name in ("reports/markdown.py", "reports/plot_style.py"):
        assert not rooms


EVIDENCE = sorted(path for folder in ("study", "scripts") for path in (ROOT / folder / "evidence").rglob("*.py"))


@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: str(path.relative_to(ROOT)))
def test_evidence_knows_a_study_by_its_record(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    assert "user_attrs" not in {node.attr for node in nodes if isinstance(node, ast.Attribute)}
