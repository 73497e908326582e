"""Documentation pages, whose commands and snippets are run as printed."""

import re
import shlex

from tests.helpers import ROOT, Result, start

README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "GUIDE.md").read_text()
DOCS = {path.stem: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
NOT_TYPED = [DOCS.pop(name) for name in ("your-training", "command-line", "team-store")]
"""They are about files and a server of the reader's, and list the examples of --help: other tests run such commands."""


def fenced(page):
    """(language, text) of each fenced block, in the order of the page."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def blocks(page):
    """(language, text) of each block of code that can be run."""
    return [(language, text) for language, text in fenced(page) if language in ("python", "bash")]


def lines(*pages):
    """The lines that are typed into a shell."""
    typed = [text for page in pages for language, text in blocks(page) if language == "bash"]
    return [line for text in typed for line in text.splitlines() if not line.startswith("#")]


def printed(page):
    """The blocks of output."""
    return [text for language, text in fenced(page) if not language]


def table(page, first_head):
    """The first table of a page whose first column has this head."""
    start = page.index(f"| {first_head} |")
    return page[start:].split("\n\n")[0].strip()


class Typist:
    """Types lines that begin with `python scripts/` in a folder.

    The first line of each script is run as a process, the others in this one, which saves their start.
    """

    def __init__(self, command, folder):
        self.command, self.folder, self.started = command, folder, set()

    def type(self, line):
        """Run the line; it must end well, and a search with a winner."""
        _, script, *arguments = shlex.split(line, comments=True)
        script = script.removeprefix("scripts/")
        if script in self.started:
            result = self.command(script, *arguments)
        else:
            process = start(script, *arguments, cwd=self.folder)
            try:
                out, _ = process.communicate()
            finally:
                process.kill()  # if this test ends first
            result = Result(process.returncode, out, "")
        self.started.add(script)
        assert result.code == 0, (line, result.out, result.err)
        searches = script == "search.py" and "--print-space" not in arguments
        assert "Cost: " in result.out or not searches, line
