"""The report holds every figure and number, and needs nothing from elsewhere."""

import json
import re
from html.parser import HTMLParser

import pytest

from models.backtest.figures import figures
from models.backtest.goals import goals
from models.backtest.report import report
from models.backtest.run import Ran
from models.backtest.summary import summarise, tally_parts
from models.backtest.tables import goal_table, tables
from models.backtest.tally import MODEL, Tally

PLOTS = (
    *("skill-halftime", "skill-final", "calibration-halftime", "calibration-final"),
    *("calibration-season", "pit-halftime", "pit-final", "brier", "reliability"),
    *("interval-score-halftime", "interval-score-final"),
    *("lead-halftime-18", "lead-final-24", "lead-final-36"),
)


@pytest.fixture(scope="module")
def tally(ran: Ran) -> Tally:
    return tally_parts(ran.parts)


@pytest.fixture(scope="module")
def page(tally: Tally) -> str:
    return report(
        tally, title="A <small> test", facts={"games": "150 & more"}, notices=["3 left out"]
    )


class Outline(HTMLParser):
    """Every tag with its attributes, and whether each is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_every_figure_is_there_and_says_what_it_shows(page: str, tally: Tally) -> None:
    outline = Outline(page)
    drawn = [told["id"] for tag, told in outline.tags if tag == "figure"]
    assert tuple(drawn) == PLOTS
    pictures = [told for tag, told in outline.tags if tag == "svg"]
    titles = {told["id"] for tag, told in outline.tags if tag == "title" and "id" in told}
    assert len(pictures) == len(PLOTS)
    for picture in pictures:
        assert picture["role"] == "img"
        assert picture["aria-labelledby"] in titles
    assert page.count("<caption>") == 1 + len(tables(tally))


def test_nothing_points_out_of_the_page(page: str) -> None:
    assert "://" not in page
    for tag, told in Outline(page).tags:
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert "src" not in told
        assert (told.get("href") or "#").startswith("#"), told
    assert not re.search(r"@import|url\((?!#)", page)


def test_ids_are_unique_and_every_reference_is_answered(page: str) -> None:
    told = [attributes for _, attributes in Outline(page).tags]
    ids = [one["id"] for one in told if "id" in one]
    assert len(ids) == len(set(ids))
    asked = {(one.get("href") or "#")[1:] for one in told} - {""}
    asked |= set(re.findall(r"url\(#([^)]*)\)", page))
    assert asked <= set(ids)


def test_the_page_takes_on_both_colour_schemes(page: str) -> None:
    assert "color-scheme: light dark" in page
    assert "currentColor" in page
    assert "#010203" not in page


def test_texts_are_escaped_and_numbers_are_those_of_the_tally(page: str, tally: Tally) -> None:
    assert "<h1>A &lt;small&gt; test</h1>" in page
    assert "150 &amp; more" in page
    assert "3 left out" in page
    for goal in goals(tally):
        assert goal.name.replace("'", "&#x27;") in page
    mae = tally.at("all", "halftime", 18, "ae", MODEL).mean
    assert f"<td>{mae:.3f}</td>" in page


def test_the_same_rows_give_the_same_page(page: str, ran: Ran) -> None:
    again = report(
        tally_parts(ran.parts),
        title="A <small> test",
        facts={"games": "150 & more"},
        notices=["3 left out"],
    )
    assert again == page


def test_a_summary_is_json_and_holds_the_goals(tally: Tally) -> None:
    told = summarise(tally)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [goal["name"] for goal in told["goals"]] == [goal.name for goal in goals(tally)]
    halftime = told["minutes"]["all"]["halftime"]["18"]
    mean, error = halftime[MODEL]["ae"]
    assert mean == pytest.approx(tally.at("all", "halftime", 18, "ae", MODEL).mean, rel=1e-5)
    assert error > 0
    assert set(halftime[MODEL]["minus"]) >= {"persistence", "ridge", "boosting", "original"}


def test_few_minutes_and_one_horizon_still_make_a_page(ran: Ran) -> None:
    tally = tally_parts([part for part in ran.parts if "final" not in part.name])
    assert "Brier score of the win probability at minute 6" in report(tally, title="", facts={})
    assert {figure.name for figure in figures(tally)} < set(PLOTS)
    assert "not measured" in {row[-1] for row in goal_table(goals(tally)).rows}
