"""Checks the page that a training wrote: that it is whole, needs nothing else, and says what the log does.

usage: check_report.py REPORT.html LOG.jsonl CURVES PICTURES
"""
import base64
import html.parser
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
import zlib

page, log = open(sys.argv[1]).read(), [json.loads(line) for line in open(sys.argv[2])]
curves, pictures = int(sys.argv[3]), int(sys.argv[4])


class Nesting(html.parser.HTMLParser):
    """Holds that every element that is opened is closed, and collects what is loaded."""

    def __init__(self):
        super().__init__()
        self.open, self.loaded = [], []

    def handle_starttag(self, tag, attributes):
        self.loaded += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


nesting = Nesting()
nesting.feed(page)
assert not nesting.open and all(source.startswith("data:") for source in nesting.loaded)
assert "<script" not in page and "http" not in page

drawings = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]
titles = [drawing.find("title").text for drawing in drawings]
assert len(titles) == curves + 1 and titles[-1] == "confusion matrix", titles

# The matrix, read from its tooltips, is that of the last evaluation.
cells = [rect.find("title").text for rect in drawings[-1].findall("rect")]
counts = [int(cell.split(": ")[1]) for cell in cells]
assert counts == [line for line in log if "validation.loss" in line][-1]["validation.confusion_matrix"]

# The last point of the validation's curve of the loss lies where its value says.
found = re.findall(r"<dd>([^<]*)</dd>", page)
assert f"{log[-1]['validation.loss']:.6g}" in found, found

images = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
assert len(images) == pictures, len(images)
for image in images:
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")
    size = int.from_bytes(image[33:37], "big")
    channels = {0: 1, 2: 3}[image[25]]  # grey, or the colours of signed weights
    assert len(zlib.decompress(image[41 : 41 + size])) == height * (channels * width + 1)
    assert width == height == 8
print("the page is whole")
