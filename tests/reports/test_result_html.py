"""What a notebook shows of a result: the answer first, a picture that can be drawn, and a table; in any state."""

from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import study
from study.reports.result_html import html_table, result_html
from study.reports.verdict import verdict_lines


class Read(HTMLParser):
    """The tags in order, the text, and what images hold."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.images = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(b64decode(dict(attributes)["src"].partition("base64,")[2]))

    def handle_data(self, data):
        self.texts += [data.strip()] if data.strip() else []


def test_the_answer_the_picture_and_the_table():
    found = study.find_schedule(dataset="digits", epochs=2, trials=4, families=["linear", "rex"], progress=False)
    read = Read(found._repr_html_())
    lines = verdict_lines(found.record)
    assert read.texts[: len(lines)] == lines
    (picture,) = read.images
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert read.tags.count("tr") == 1 + len({trial.family for trial in found.record.trials if not trial.outside})
    empty = Read(result_html(replace(found.record, trials=())))
    assert (empty.images, empty.tags.count("table")) == ([], 0)
    assert empty.texts[0].startswith("No winner yet")


def test_what_a_cell_holds_is_text():
    read = Read(html_table(["a", "b"], [["<b>x</b>", "1 & 2"]]))
    assert read.texts == ["a", "b", "<b>x</b>", "1 & 2"]
