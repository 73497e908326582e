"""docs/command-line.md says what the flags of today say."""

import runpy

from tests.helpers import ROOT


def test_the_page_of_the_command_line_is_as_the_flags_are():
    made = runpy.run_path(str(ROOT / "docs" / "command_line.py"))
    assert made["PAGE"].read_text() == made["page"](), "write it again: python docs/command_line.py"
