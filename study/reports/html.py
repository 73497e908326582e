"""report.html: the Markdown of a report as one file that needs nothing else, its figures inside."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from markdown_it import MarkdownIt

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 46rem; margin: 0 auto;
  padding: 0 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
h3 { font-size: 1rem; margin-bottom: 0; }
figure { margin: 1rem 0; }
figure svg { width: 100%; max-width: 40rem; height: auto; }
figcaption { color: #555; font-size: 0.85rem; }
.table, pre { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid #e3e3e3; text-align: left; vertical-align: top; }
pre { background: #f6f6f6; padding: 0.7rem; font-size: 0.8rem; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
"""


def html_page(markdown: str, figures: Mapping[str, bytes], title: str) -> str:
    """The page. figures: SVG by the file name that the Markdown shows it under. HTML in the Markdown shows as text."""
    body = MarkdownIt("js-default").render(markdown)
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")

    def inlined(found: re.Match[str]) -> str:
        name, caption = html.unescape(found["name"]), found["caption"]
        svg = figures[name].decode()
        # Ids are a figure's own; on one page they must not meet.
        prefix = name.removesuffix(".svg")
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
        return f'<figure role="img" aria-label="{caption}">{svg}<figcaption>{caption}</figcaption></figure>'

    body = re.sub(r'<p><img src="(?P<name>[^"]+)" alt="(?P<caption>[^"]*)"\s*/?></p>', inlined, body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
