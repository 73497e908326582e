"""Phrases that a native engineer would not write do not occur in code, documentation or results."""

import ast
import io
import re
import tokenize

import pytest

from tests.helpers import ROOT

INSTEAD = {
    r"\btold\b|\btell apart\b": "statistically tied, inconclusive, set by --flag, needs at least N",
    r"\bso many\b": "the number: 'this many', 'N', 'at `step`'",
    r"\bas you said\b|\bsays? otherwise\b|\bsays it all\b": "set by --flag, override with --flag",
    r"\b(is|was) (?-i:none)\b": "'if it does not exist', 'if there are no ...'",
    r"\bfor want of\b": "'if you have no ...'",
    r"\bheld against\b": "compared with, checked against",
    r"\bof one'?s own\b": "your, its, custom",
    r"\b(by|set by) hand\b": "explicitly, hand-picked",
    r"\b(go|goes|went|going) on\b": "continue, resume",
    r"\bon (its|their) way\b": "in progress",
    r"\bjudg(e|es|ed|ing)\b(?![-_])": "evaluate",
    r"\bhears?\b": "observe",
    r"\b(true|its|their) worth\b|\bworth of\b": "true error, value",
    r"\bluck\b": "search variance, seed variance",
    r"\bon the spot\b": "generated, made locally",
    r"(?<!`)\bgenerations\b": "brackets",
    r"\b(optimizer|total_steps|\d+|each|every|per|so many|first) updates?\b": "steps",
    r"\blost the best\b": "missed the best",
    r"\bas (it|they) (is|are) needed\b": "when needed",
    r"\bcomes? to (its|their) turn\b|\bno way out\b|\bin the light of\b": "say what happens",
    r"(?<!there )\bis no (database|file|folder|schedule|table|number|report)\b": "is not a ...",
    r"\bwhere there (is|are|was|were)\b": "if there is",
    r"\bleave (it|them|this) out\b|\bleave out\b": "remove",
    r"\b(classes|least) at least\b|\b(one|two|\d+) at least\b": "at least N",
    r"\bwhat decided\b": "parameter importance",
    r"\bbeside its range\b|\bhas seen enough\b|\btakes one more\b": "say it in the words of the field",
}
"""Regular expressions, matched in any case, and replacements."""


def sentences_of_code(path):
    """(line, text) of every comment and of every literal part of a string, docstrings included; no names."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def sentences_of_page(path):
    """(line, text) of every paragraph of Markdown; of the changelog only the part that is not released."""
    text = path.read_text()
    if path.name == "CHANGELOG.md":
        text = text.split("\n## ")[1]
    line = 1
    for paragraph in text.split("\n\n"):
        yield line, paragraph
        line += paragraph.count("\n") + 2


CODE = [path for folder in ("study", "search_spaces", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
PAGES = [*ROOT.glob("*.md"), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("results/**/*.md"))]


@pytest.mark.parametrize(
    ("paths", "sentences"), [(CODE, sentences_of_code), (PAGES, sentences_of_page)], ids=["code", "pages"]
)
def test_no_phrase_of_the_list_is_written(paths, sentences):
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]!r}: {instead}"
        for path in paths
        for line, text in sentences(path)
        for phrase, instead in INSTEAD.items()
        for match in [re.search(phrase, " ".join(text.split()), re.IGNORECASE)]
        if match
    ]
    assert not found, "\n".join(found)


def test_phrases_are_found_where_readers_see_them(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""Of so\nmany."""\ntold = 1  # not told\nprint(f"as you {told} said, {told} told")\n')
    texts = [text for _, text in sentences_of_code(path)]
    assert texts == ["# not told", "Of so\nmany.", "as you ", " said, ", " told"], "the name itself is not a sentence"
