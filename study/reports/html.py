"""report.html: the Markdown of a report as one file that needs nothing else, its figures inside."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from markdown_it import MarkdownIt

from study.reports.plot_style import INK

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --code: #f6f8fa;
  --shadow: rgb(0 0 0 / 25%); }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d; --code: #151b23;
    --shadow: rgb(255 255 255 / 30%); }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 46rem;
  margin: 0 auto; padding: 0 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin-bottom: 0; }
figure { margin: 1rem 0; }
figure svg { width: 100%; max-width: 40rem; height: auto; }
figure svg [style*="fill: INK"] { fill: var(--faint) !important; }
figure svg [style*="stroke: INK"] { stroke: var(--faint) !important; }
figcaption { color: var(--faint); font-size: 0.85rem; }
.table, pre { overflow-x: auto; background: linear-gradient(90deg, var(--own) 40%, transparent) left / 3rem 100%,
  linear-gradient(-90deg, var(--own) 40%, transparent) right / 3rem 100%,
  linear-gradient(90deg, var(--shadow), transparent) left / 0.8rem 100%,
  linear-gradient(-90deg, var(--shadow), transparent) right / 0.8rem 100%, var(--own);
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
.table { --own: var(--page); }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
pre { --own: var(--code); padding: 0.7rem; font-size: 0.8rem; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
:not(pre) > code { white-space: nowrap; }
""".replace("INK", INK.lower())
"""A page follows the reader's light or dark mode, its figures too. What can be scrolled has a shadow at that side."""


def html_page(markdown: str, figures: Mapping[str, bytes], title: str) -> str:
    """The page. figures: SVG by the file name in the Markdown. HTML in the Markdown is shown as text."""
    body = MarkdownIt("js-default").render(markdown)
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")

    # An interval stays on one line, beside its mean.
    body = re.sub(r">[^<>]*\[[^<>]*\]</td>", lambda cell: cell[0].replace(" ", "\u00a0"), body)

    def inlined(found: re.Match[str]) -> str:
        name, caption = html.unescape(found["name"]), found["caption"]
        if name not in figures:  # it is no figure of ours, but part of a name
            return found[0]
        svg = figures[name].decode()
        # An id is unique within its figure, and must be so on the page.
        prefix = name.removesuffix(".svg")
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
        return f'<figure role="img" aria-label="{caption}">{svg}<figcaption>{caption}</figcaption></figure>'

    body = re.sub(r'<p><img src="(?P<name>[^"]+)" alt="(?P<caption>[^"]*)"\s*/?></p>', inlined, body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
