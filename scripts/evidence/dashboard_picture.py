"""Take the picture of the dashboard for the documentation: a study's verdict and figures, as a browser shows them.

It needs Chromium and `pip install -e '.[browser]'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Annotated

from study.cli import run_command
from study.flags import Shown
from study.storage.url import DEFAULT_STORAGE


@dataclass(frozen=True)
class Options:
    """What the command line gives."""

    study: str = "mnist1d-mlp-sgd-20-epochs"
    """Study to show; by default that of the README's first search."""
    storage: Annotated[str, Shown(metavar="URL")] = DEFAULT_STORAGE
    """Database that keeps the study."""
    output: Path = Path("results/dashboard.png")
    """PNG file to write."""


def main(options: Options) -> None:
    """Serve the dashboard, take the picture, and write it."""
    from study.evidence.browser import browser_page  # these load optuna-dashboard: after the flags
    from study.evidence.dashboard_picture import take_picture
    from study.reports.dashboard.server import HOST, make_server_for
    from study.storage.studies import read_study

    read_study(options.storage, options.study)
    with make_server_for(options.storage, 0) as server, browser_page(1000, 3000, scale=1.5) as page:
        Thread(target=server.serve_forever, daemon=True).start()
        options.output.write_bytes(take_picture(page, f"http://{HOST}:{server.server_port}", options.study))
        server.shutdown()
    print(f"Written: {options.output}")


if __name__ == "__main__":
    run_command(Options, main)
