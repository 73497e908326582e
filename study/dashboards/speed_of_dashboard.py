"""What the dashboard costs a study, and how soon a real browser shows it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from PIL import Image

from study.configuration import Configuration
from study.dashboards.browser import browser_page
from study.dashboards.dashboard import Dashboard
from study.dashboards.dashboard_server import HOST, make_server_for
from study.engine import EngineOptions, agree
from study.provenance import provenance
from study.search import search
from study.storage import open_study
from study.workloads.workload import Workload

FIGURES = "[...document.querySelectorAll('[id^=\"user-defined-plot:\"]')]"
READY: Mapping[str, str] = {
    "": f"{FIGURES}.filter(figure => figure.querySelector('.scatterlayer .trace')).length == 4",
    "/note": "document.body.innerText.includes('The answer so far')",
    "/trials?numbers={best}": "document.querySelector('img[src*=\"/artifacts/\"]')?.naturalWidth > 0",
}
"""When a page of a study is ready: its path, and what then holds in the browser."""
WIDTH, HEIGHT, PICTURE_HEIGHT = 1400, 1000, 1080
"""Of the browser's window, in pixels."""

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """One study: wall and processor seconds, and the part of each that went into what the dashboard shows."""

    wall: float
    processor: float
    shown_wall: float
    shown_processor: float


def study_cost(workload: Workload, configuration: Configuration, trials: int, database: Path, shown: bool) -> Cost:
    """Search in a new database in lockstep, with the note, the figures and the pictures or without them."""
    storage, name, spent = f"sqlite:///{database}", configuration.study_name, 0.0
    attributes, session = {"group": name, **workload.attributes()}, provenance(workload.device)
    options = EngineOptions("lockstep", configuration.most_together(workload.steps_per_epoch))

    def timed(call: Callable[..., T], *arguments: Any) -> T:
        nonlocal spent
        began = time.process_time()
        found = call(*arguments)
        spent += time.process_time() - began
        return found

    with open_study(storage, name, configuration.resolved(workload), attributes, session) as optuna_study:
        engine, _ = agree(optuna_study, options, workload, configuration)
        began = time.perf_counter(), time.process_time()
        if not shown:
            for _ in search(optuna_study, workload, configuration, engine, trials):
                pass
            return Cost(time.perf_counter() - began[0], time.process_time() - began[1], 0.0, 0.0)
        dashboard = Dashboard(optuna_study, storage)
        attach = partial(timed, dashboard.attach)
        for generation in search(optuna_study, workload, configuration, engine, trials, attach=attach):
            timed(dashboard.update, generation)
        timed(dashboard.refresh)
        return Cost(time.perf_counter() - began[0], time.process_time() - began[1], dashboard.spent, spent)


@contextmanager
def served(storage: str) -> Iterator[str]:
    """The address of a dashboard that runs in a thread of this process, on a free port."""
    with make_server_for(storage, 0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{HOST}:{server.server_port}/dashboard"
        finally:
            server.shutdown()


def seconds_until_ready(page: Any, address: str, ready: str) -> float:
    """From asking for the page to when it is ready."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(ready, timeout=120_000)
    return time.perf_counter() - began


def ready_seconds(storage: str, best: int, repeats: int) -> dict[str, list[float]]:
    """Seconds until each page of the only study of a database is ready, in a new browser each time.

    best: number of a trial that ran to its end.
    """
    found: dict[str, list[float]] = {path: [] for path in READY}
    with served(storage) as address:
        for _ in range(repeats):
            for path, ready in READY.items():
                with browser_page(WIDTH, HEIGHT) as page:
                    found[path].append(seconds_until_ready(page, f"{address}/studies/1{path.format(best=best)}", ready))
    return found


def picture(storage: str) -> bytes:
    """A PNG of the only study of a database: its note, and its figures beside it."""
    shots = []
    with served(storage) as address:
        for path, width in {"/note": 1000, "": 1300}.items():
            with browser_page(width, PICTURE_HEIGHT) as page:
                seconds_until_ready(page, f"{address}/studies/1{path}", READY[path])
                if not path:
                    page.locator('[id^="user-defined-plot:"]').first.evaluate("element => element.scrollIntoView()")
                    page.mouse.wheel(0, -90)  # from under the bar at the top
                page.wait_for_timeout(1000)  # until what moves has come to rest
                shots.append(Image.open(io.BytesIO(page.screenshot())))
    together = Image.new("RGB", (sum(shot.width for shot in shots), PICTURE_HEIGHT))
    together.paste(shots[0], (0, 0))
    together.paste(shots[1], (shots[0].width, 0))
    output = io.BytesIO()
    together.quantize(256).save(output, "PNG", optimize=True)
    return output.getvalue()
