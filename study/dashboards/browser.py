"""A real browser, headless: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from search_spaces.errors import InputError


@contextmanager
def browser_page(width: int = 1400, height: int = 1000) -> Iterator[Any]:
    """A blank page of playwright's, in a browser of its own; raises InputError where there is none. Sizes in pixels."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError("playwright is missing: pip install -e '.[browser]'") from error
    chromium = shutil.which("chromium")
    if chromium is None:
        raise InputError("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        yield browser.new_page(viewport={"width": width, "height": height})
