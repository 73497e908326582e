"""Browse studies in optuna-dashboard, with a picture of each trial's schedule. It serves this machine only.

Examples:
    python scripts/dashboard.py
"""

from __future__ import annotations

import study.early  # noqa: F401

import warnings
from dataclasses import dataclass
from typing import Annotated

from search_spaces.errors import require
from study.cli import run_command
from study.flags import Shown
from study.storage.url import DEFAULT_STORAGE, shown_url


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the studies."""
    port: int = 8080
    """Port of 127.0.0.1 that the dashboard is served on."""

    def __post_init__(self) -> None:
        require(1 <= self.port <= 65535, "--port must be from 1 to 65535", self.port)


def main(options: Options) -> None:
    """Serve until Ctrl-C."""
    from study.reports.dashboard.server import HOST, make_server_for  # loads optuna-dashboard: after the flags

    warnings.filterwarnings("ignore", "Some regimes for parameter")  # raised by importances that the dashboard computes
    with make_server_for(options.storage, options.port) as server:
        url = f"http://{HOST}:{options.port}"
        print(f"Dashboard of {shown_url(options.storage)}: {url} (Ctrl-C to stop)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")


if __name__ == "__main__":
    run_command(Options, main)
