"""The page of defaults, beside what the reports themselves say."""

import re
import runpy
from collections import Counter

import pytest

from tests.helpers import ROOT

MADE = runpy.run_path(str(ROOT / "docs" / "defaults.py"))


def verdicts(report):
    """(family, verdict) of every table of a report's comparisons."""
    return re.findall(r"^\| `(\w+)` .*\| (best|tied|worse) \|$", report, re.MULTILINE)


def test_the_page_is_as_the_reports_are():
    assert MADE["PAGE"].read_text() == MADE["page"](), "write it again: python docs/defaults.py"


@pytest.mark.parametrize("row", [line for line in MADE["PAGE"].read_text().splitlines() if "n = " in line])
def test_families_are_counted_as_in_the_tables_of_the_reports(row):
    folders = dict.fromkeys(re.findall(r"\.\./results/([^/]+)/report\.md", row))
    found = [pair for name in folders for pair in verdicts((ROOT / "results" / name / "report.md").read_text())]
    tried = Counter(family for family, _ in found)
    best = Counter(family for family, verdict in found if verdict != "worse")
    counts = {family: (int(a), int(b)) for family, a, b in re.findall(r"`(\w+)`(?: \|)? (\d+) of (\d+)", row)}
    assert counts == {family: (best[family], tried[family]) for family in best}
    first, *others = (a / b for a, b in counts.values())
    assert first == max([first, *others]), "the one that we would use stands first"
