"""What every page that is written as a file must keep to: whole, self-contained, in two schemes."""

import re
from html.parser import HTMLParser


class Outline(HTMLParser):
    """Every tag with its attributes, the cells of every table by its id, and the words.

    Raises AssertionError where a tag is not closed in order.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.words = ""
        self._rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append((tag, told))
        if tag not in {"meta"}:
            self._open.append(tag)
        if tag == "table":
            self._rows = self.tables.setdefault(str(told.get("id")), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"td", "th"}:
            self._rows[-1][-1] += data
        if "style" not in self._open:
            self.words += data


def expect_self_contained(page: str) -> None:
    """Nothing points out of the page, and nothing in it runs."""
    assert "://" not in page
    for tag, told in Outline(page).tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "form"}
        assert "src" not in told
        assert not [name for name in told if name.startswith("on")]
        assert (told.get("href") or "#").startswith("#"), told
    assert not re.search(r"@import|url\((?!#)", page)


def expect_answered_references(page: str) -> None:
    """Ids are unique, and whatever refers to one finds it."""
    told = [attributes for _, attributes in Outline(page).tags]
    ids = [one["id"] for one in told if "id" in one]
    assert len(ids) == len(set(ids))
    asked = {(one.get("href") or "#")[1:] for one in told} - {""}
    asked |= {str(one["aria-labelledby"]) for one in told if "aria-labelledby" in one}
    asked |= set(re.findall(r"url\(#([^)]*)\)", page))
    assert asked <= set(ids)


def expect_accessible(page: str) -> None:
    """Plots have a title, tables a caption and headers; wide tables can be scrolled by key."""
    outline = Outline(page)
    pictures = [told for tag, told in outline.tags if tag == "svg"]
    titles = {told["id"] for tag, told in outline.tags if tag == "title" and "id" in told}
    assert pictures
    assert {(one.get("role"), one.get("aria-labelledby") in titles) for one in pictures} == {
        ("img", True)
    }
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("caption") == tags.count("table") == len(outline.tables)
    scopes = {told.get("scope") for tag, told in outline.tags if tag == "th"}
    assert scopes == {"row", "col"}
    assert ("html", {"lang": "en"}) in outline.tags


def expect_both_schemes(page: str) -> None:
    """Light and dark, with plots in the colours of the page."""
    assert "color-scheme: light dark" in page
    assert "currentColor" in page
    assert "#010203" not in page
