"""The picture of the dashboard for the README: a study's verdict and figures, as a browser shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from study.cli import run_command
from study.evidence.browser import browser_page
from study.evidence.dashboard_picture import take_picture
from study.reports.dashboard.server import HOST, make_server_for
from study.storage.studies import read_study
from study.storage.url import DEFAULT_STORAGE


@dataclass(frozen=True)
class Options:
    """Take a picture of a finished study in the dashboard; needs Chromium and `pip install -e '.[browser]'`."""

    study: str = "mnist1d-mlp-sgd-20-epochs"
    """The study to show; the default is the one that the README's first search makes."""
    storage: str = DEFAULT_STORAGE
    """Database URL of the study."""
    output: Path = Path("results/dashboard.png")
    """The PNG file to write."""


def main(options: Options) -> None:
    """Serve the dashboard, take the picture, and write it."""
    read_study(options.storage, options.study)
    with make_server_for(options.storage, 0) as server, browser_page(1000, 3000, scale=1.5) as page:
        Thread(target=server.serve_forever, daemon=True).start()
        options.output.write_bytes(take_picture(page, f"http://{HOST}:{server.server_port}", options.study))
        server.shutdown()
    print(f"Written: {options.output}")


if __name__ == "__main__":
    run_command(Options, main)
