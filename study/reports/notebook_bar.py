"""A bar with lines below it in the output of a notebook's cell, where it is drawn again in place."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class NotebookBar:
    """A bar in the cell that runs now. It needs IPython, which every notebook has."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self.handle = DisplayHandle()
        self.shown = False

    def update(self, done: float, total: float, lines: Sequence[str]) -> None:
        """Draw it, filled as far as `done` of `total`."""
        from IPython.display import HTML

        drawn = HTML(bar_html(done, total, lines))
        (self.handle.update if self.shown else self.handle.display)(drawn)
        self.shown = True


def bar_html(done: float, total: float, lines: Sequence[str]) -> str:
    """The bar as HTML.

    >>> bar_html(1, 4, ["1/4 epochs", "best < 2"])
    '<progress value="1" max="4"></progress> 1/4 epochs<br>best &lt; 2'
    """
    return f'<progress value="{done:g}" max="{total:g}"></progress> ' + "<br>".join(map(escape, lines))
