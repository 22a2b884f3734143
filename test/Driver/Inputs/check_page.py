"""Whether a page is whole: every tag is closed, nothing is loaded from elsewhere; prints its tables' text."""
import html.parser
import sys

VOID = {"meta", "link", "img", "br"}


class Page(html.parser.HTMLParser):
    """Follows the tags, and collects the cells of each row."""

    def __init__(self):
        super().__init__()
        self.open, self.rows, self.shapes = [], [], {}

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "href"):
                assert value.startswith("data:"), value
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self.shapes[tag] = self.shapes.get(tag, 0) + 1

    def handle_startendtag(self, tag, attrs):
        self.shapes[tag] = self.shapes.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    page.feed(file.read())
assert not page.open, page.open
for row in page.rows:
    print(" | ".join(cell.strip() for cell in row))
print("shapes:", " ".join(f"{tag}={page.shapes.get(tag, 0)}" for tag in ("svg", "circle", "rect")))
