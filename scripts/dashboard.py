"""Browse the studies in optuna-dashboard, served on this machine only: `python scripts/dashboard.py`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from search_spaces.errors import require
from study.cli import run_command
from study.reports.dashboard.server import HOST, make_server_for
from study.storage.url import DEFAULT_STORAGE, shown_url


@dataclass(frozen=True)
class Options:
    """Browse the studies of a database in optuna-dashboard, with notes, figures and the pictures of full runs."""

    storage: str = DEFAULT_STORAGE
    """Database URL of the studies."""
    port: int = 8080
    """Port on 127.0.0.1 to serve the dashboard at."""

    def __post_init__(self) -> None:
        require(1 <= self.port <= 65535, "--port must be from 1 to 65535", self.port)


def main(options: Options) -> None:
    """Serve until Ctrl-C."""
    warnings.filterwarnings("ignore", "Some regimes for parameter")  # of importances that the dashboard computes
    with make_server_for(options.storage, options.port) as server:
        print(f"Dashboard of {shown_url(options.storage)}: http://{HOST}:{options.port} (Ctrl-C to stop)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Stopped.")


if __name__ == "__main__":
    run_command(Options, main)
