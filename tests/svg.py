"""Reads the contents of an SVG."""

from xml.etree import ElementTree


def texts(svg):
    """Every text of an SVG, which must be well-formed, as a reader sees it."""
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def dots(svg, gid):
    """How many markers are drawn in the groups whose id starts so, by id."""
    groups = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g")
    return {
        group.get("id"): len(list(group.iter("{http://www.w3.org/2000/svg}use")))
        for group in groups
        if group.get("id", "").startswith(gid)
    }
