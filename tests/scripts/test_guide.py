"""What the guide says is true: all of it is typed as it stands, in an empty folder."""

import subprocess
import sys

import pytest

from tests.pages import GUIDE, Typist, blocks


@pytest.mark.slow
def test_the_guide_as_it_stands(command, tmp_path):
    """Snippets are run, or put into the file that they name."""
    typist = Typist(command, tmp_path)
    for language, block in blocks(GUIDE):
        if block.startswith("# mine.py"):
            (tmp_path / "mine.py").write_text(block)
        elif language == "python":
            subprocess.run([sys.executable, "-"], input=block, text=True, cwd=tmp_path, check=True)
        else:
            for line in block.splitlines():
                if "dashboard.py" not in line:  # test_dashboard.py runs it
                    typist.type(line)
    exec((tmp_path / "schedule.py").read_text(), {})
