"""The process of one run: in a group of its own, so that all it starts ends with it, and with its output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from search_spaces.errors import InputError

GRACE = 5.0
"""Seconds that a process is given to end after SIGTERM."""
LAST_LINES = 20
"""Lines of the output that are shown if a run fails."""
MOST_OUTPUT = 10_000_000
"""Bytes of output that are kept of a run; of more, the last ones."""
TAIL = 100_000
"""Bytes that are left when the output is cut."""
GUARD = ("sh", "-c", 'read -r _; kill -s KILL -- "-$0"')
"""Ends a group of processes, whose number follows, once its standard input is closed: that is when this process ends,
even if it is killed."""


class ScriptProcess:
    """A process that runs until it ends, or is ended with this context; its output goes to a file."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self.output = output
        with output.open("ab") as file:
            try:
                self.process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **environment},
                    start_new_session=True,
                )
            except OSError as error:
                raise InputError(f"--command cannot be run: {words[0]}: {error.strerror}") from error
        self.guard = subprocess.Popen([*GUARD, str(self.process.pid)], stdin=subprocess.PIPE, start_new_session=True)

    def __enter__(self) -> ScriptProcess:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(GRACE)
        finally:  # a second Ctrl-C does not wait
            self.guard.kill()
            self.guard.communicate()
            self.signal(signal.SIGKILL)  # also the children that it left
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def ended(self, seconds: float) -> bool:
        """Whether it has ended, after at most this time; keeps the output short."""
        if self.output.stat().st_size > MOST_OUTPUT:
            self.shorten()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def shorten(self) -> None:
        """Leave the last part of the output; the process appends to it."""
        with self.output.open("r+b") as file:
            file.seek(-TAIL, os.SEEK_END)
            tail = file.read(TAIL)
            file.truncate(0)
        with self.output.open("ab") as file:
            file.write(b"[the output before this is left out]\n" + tail)

    @property
    def failure(self) -> str | None:
        """Why it failed, with its last lines; None if it has not."""
        code = self.process.returncode
        if not code:
            return None
        how = f"it exited with code {code}" if code > 0 else f"it was ended by {signal.Signals(-code).name}"
        return f"{how}. {self.last_output()}"

    def last_output(self) -> str:
        """The last lines of its output, and where the rest is."""
        with self.output.open(errors="replace") as file:
            lines = deque(file, LAST_LINES)
        shown = "".join(f"\n  {line.rstrip()}" for line in lines) or " nothing"
        where = self.output.relative_to(Path.cwd()) if self.output.is_relative_to(Path.cwd()) else self.output
        return f"Its last output ({where}):{shown}"
