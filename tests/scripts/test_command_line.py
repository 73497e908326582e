"""docs/command-line.md says what the flags of today say."""

import re
import runpy

from tests.helpers import ROOT
from tests.pages import README


def test_the_page_of_the_command_line_is_as_the_flags_are():
    made = runpy.run_path(str(ROOT / "docs" / "command_line.py"))
    assert made["PAGE"].read_text() == made["page"](), "write it again: python docs/command_line.py"


def test_every_command_of_the_readme_has_its_section():
    sections = [
        line.removeprefix("## ")
        for line in (ROOT / "docs/command-line.md").read_text().splitlines()
        if line.startswith("## ")
    ]
    commands = [line.split("`")[1] for line in README.splitlines() if re.match(r"\| `\w+\.py` \|", line)]
    assert len(commands) >= 8
    assert set(commands) <= set(sections)
