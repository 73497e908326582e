"""A picture of a study in the dashboard: the verdict in its note, and below it its first figures."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from search_spaces.errors import InputError
from study.evidence.browser import READY, open_page

FIGURES = 2
"""How many are shown, side by side."""
STUDIES = "[...document.querySelectorAll('a[href*=\"/studies/\"]')].map(link => [link.innerText, link.href])"
END_OF_VERDICT = (
    "[...document.querySelectorAll('h2')].find(head => head.innerText == 'Families').getBoundingClientRect().y"
)
EDGES = "figures => figures.map(figure => figure.getBoundingClientRect()).map(box => [box.top, box.bottom])"


def take_picture(page: Any, address: str, name: str) -> bytes:
    """A PNG that is as wide as the page; raises InputError if the dashboard at this address does not list the study.

    page: of a browser, and high enough for the dashboard's first page.
    """
    open_page(page, f"{address}/dashboard", f"{STUDIES}.length > 0")
    links = [link for text, link in page.evaluate(STUDIES) if name in text.split()]
    if not links:
        raise InputError(f"the dashboard does not list the study {name!r}")
    open_page(page, f"{links[0]}/note", READY["/note"])
    verdict = strip(page, 0, page.evaluate(END_OF_VERDICT) - 8)
    open_page(page, links[0], READY[""])
    edges = page.locator("[id^='user-defined-plot:']").evaluate_all(EDGES)
    return one_above_the_other(page, [verdict, strip(page, edges[0][0], edges[FIGURES - 1][1])])


def strip(page: Any, top: float, bottom: float) -> bytes:
    """The page from top to bottom, in pixels, as PNG."""
    picture: bytes = page.screenshot(
        clip={"x": 0, "y": top, "width": page.viewport_size["width"], "height": bottom - top}, animations="disabled"
    )
    return picture


def one_above_the_other(page: Any, pictures: list[bytes]) -> bytes:
    """The pictures as one PNG."""
    sources = [f"data:image/png;base64,{b64encode(picture).decode()}" for picture in pictures]
    page.goto("about:blank")
    images = "".join(f'<img src="{source}" style="display:block;width:100%">' for source in sources)
    page.set_content(f'<!doctype html><body style="margin:0">{images}', wait_until="load")
    return strip(page, 0, page.evaluate("document.body.getBoundingClientRect().height"))
