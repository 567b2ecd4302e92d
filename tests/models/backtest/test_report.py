"""The report holds every figure and number, and needs nothing from elsewhere."""

import json

import pytest

from models.backtest.figures import figures
from models.backtest.goals import goals
from models.backtest.report import report
from models.backtest.run import Ran
from models.backtest.summary import summarise, tally_parts
from models.backtest.tables import goal_table, tables
from models.backtest.tally import MODEL, Tally
from tests.html_pages import (
    Outline,
    expect_accessible,
    expect_answered_references,
    expect_both_schemes,
    expect_self_contained,
)

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


def test_every_figure_is_there_and_says_what_it_shows(page: str, tally: Tally) -> None:
    outline = Outline(page)
    drawn = [told["id"] for tag, told in outline.tags if tag == "figure"]
    assert tuple(drawn) == PLOTS
    expect_accessible(page)
    assert page.count("<caption>") == 1 + len(tables(tally))


def test_the_page_is_whole_and_needs_nothing_else(page: str) -> None:
    expect_self_contained(page)
    expect_answered_references(page)
    expect_both_schemes(page)


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
