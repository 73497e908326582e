"""A real browser, headless: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from search_spaces.errors import InputError


@contextmanager
def browser_page(width: int = 1400, height: int = 1000, scale: float = 1.0) -> Iterator[Any]:
    """A blank page in a new browser; raises InputError if playwright or Chromium is missing.

    width, height: in pixels of the page. scale: pixels of a screenshot for each of these.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("playwright is missing: pip install -e '.[browser]'") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise InputError("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        yield browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)


DRAWN = (
    "[...document.querySelectorAll('[id^=\"user-defined-plot:\"]')].map(f => f.querySelector('.scatterlayer .trace'))"
)
READY = {
    "": f"{DRAWN}.length && {DRAWN}.every(trace => trace)",
    "/note": "document.querySelector('h2') && document.body.innerText.includes('Use ')",
    "/trials?numbers={best}": "document.querySelector('img[src*=\"/artifacts/\"]')?.naturalWidth > 0",
}
"""The pages of a study that has a winner, and what holds in the browser once each is ready."""


def open_page(page: Any, address: str, ready: str) -> None:
    """Open the page at this address, and wait until it is ready."""
    page.goto(address, wait_until="commit")
    page.wait_for_function(ready, timeout=120_000)
