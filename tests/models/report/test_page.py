"""A page holds what it is given, as text, whatever is in it."""

from models.report.page import Section, Table, figures_html, page, table_html
from models.report.svg import canvas, figure
from tests.html_pages import (
    Outline,
    expect_accessible,
    expect_answered_references,
    expect_both_schemes,
    expect_self_contained,
)

HOSTILE = "<script>alert('&')</script>\" onload=\"x"
TABLE = Table("t", HOSTILE, ("", HOSTILE), ((HOSTILE, "not reached"), ("strong", HOSTILE)))


def whole() -> str:
    with canvas() as (drawn, axes):
        axes.plot([0, 1], [0, 1])
        drawn_one = figure(drawn, "one", HOSTILE, HOSTILE)
    content = figures_html([drawn_one]) + table_html(TABLE, strong="strong", marked=["not reached"])
    sections = [Section("first", HOSTILE, content)]
    return page(HOSTILE, HOSTILE, sections, facts={HOSTILE: HOSTILE}, notices=[HOSTILE])


def test_what_is_given_as_text_stays_text():
    told = whole()
    expect_self_contained(told)
    outline = Outline(told)
    assert outline.tables == {"t": [["", HOSTILE], [HOSTILE, "not reached"], ["strong", HOSTILE]]}
    assert outline.words.count(HOSTILE) == 15


def test_a_page_is_whole_and_accessible():
    told = whole()
    expect_answered_references(told)
    expect_accessible(told)
    expect_both_schemes(told)


def test_rows_and_cells_stand_out_where_asked_to():
    tags = Outline(whole()).tags
    assert ("tr", {"class": "strong"}) in tags
    assert ("td", {"class": "not-reached"}) in tags
    assert [told.get("class") for tag, told in tags if tag == "td"] == ["not-reached", None]
