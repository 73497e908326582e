"""What every script shares: parse the command line, run, and tell a mistake in one message."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tyro

from search_spaces.errors import InputError

DATA_ROOT = Path.home() / ".cache" / "learning-rate-study"
"""Where data sets are kept that are not made on the spot."""

T = TypeVar("T")


def run_command(options: type[T], main: Callable[[T], None]) -> None:
    """Parse the command line into `options` and run `main` with it."""
    run(lambda: main(tyro.cli(options)))


def run(command: Callable[[], None]) -> None:
    """Run a command as a user expects.

    A mistake of the user's is told in one message, with exit code 2; an interruption (Ctrl-C, SIGTERM) exits with 130.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        command()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
