"""The fan of a running forecast, and the figure that shows it."""

from typing import Any

import pytest

from serve_app.model.forecast_answer import LEVEL_NAMES
from serve_app.schemas import Distribution, RunningForecast
from tests.serve_app.dashboard.page_modules import PREDICTION, RUNNING, Modules, needs_node, view

SPREADS = (-10.0, -8.0, -4.0, 0.0, 4.0, 8.0, 10.0)


def distribution(middle: float, scale: float, win: float | None = None) -> Distribution:
    quantiles = dict(zip(LEVEL_NAMES, (middle + scale * spread for spread in SPREADS), strict=True))
    return Distribution(
        point_forecast=middle,
        interval_lower=middle - 12 * scale,
        interval_upper=middle + 12 * scale,
        coverage_probability=0.95,
        quantiles=quantiles,
        win_probability=win,
    )


def running(quarter: int, clock: str, margin: float, half: bool = True) -> dict[str, Any]:
    made = RUNNING.model_copy(
        update={
            "quarter": quarter,
            "time_remaining": clock,
            "margin": margin,
            "halftime": distribution(margin + 1, 1) if half else None,
            "final": distribution(margin + 2, 2, 0.7),
        }
    )
    return RunningForecast.model_validate(made.model_dump()).model_dump(mode="json")


@needs_node
def test_the_fan_opens_at_the_present_and_holds_the_quantiles_at_both_horizons(
    modules: Modules,
) -> None:
    told = modules.run("return fan.fanOf(given);", running(2, "6:00", 5))
    assert told["middle"] == [[1080, 5], [1440, 6], [2880, 7]]
    assert [band["share"] for band in told["bands"]] == [0.9, 0.8, 0.5]
    for band, (half, final) in zip(told["bands"], [(10, 20), (8, 16), (4, 8)], strict=True):
        points = {at: (low, high) for at, low, high in band["points"]}
        assert points[1080] == (5, 5)
        assert points[1440] == pytest.approx((6 - half, 6 + half))
        assert points[2880] == pytest.approx((7 - final, 7 + final))
        widths = [high - low for _, low, high in band["points"]]
        assert widths == sorted(widths)
        times = [at for at, _, _ in band["points"]]
        assert times == sorted(set(times))


@needs_node
def test_after_halftime_the_fan_leads_to_the_end_only(modules: Modules) -> None:
    told = modules.run("return fan.fanOf(given);", running(3, "6:00", 5, half=False))
    assert told["middle"] == [[1800, 5], [2880, 7]]
    overtime = modules.run("return fan.fanOf(given);", running(5, "2:00", -1, half=False))
    assert overtime["middle"] == [[3060, -1], [3180, 1]]


@needs_node
def test_where_nothing_is_ahead_there_is_no_fan(modules: Modules) -> None:
    over = running(4, "0:00", 5, half=False)
    level = running(4, "0:00", 0, half=False)
    untold = running(3, "6:00", 5, half=False)
    untold["final"]["quantiles"] = {}
    fans = modules.run("return given.map(fan.fanOf);", [None, over, level, untold])
    assert fans[:2] == [None, None]
    assert fans[2]["middle"] == [[2880, 0], [3180, 2]]
    assert fans[3]["bands"] == []


@needs_node
@pytest.mark.parametrize("when", ["registered", "first", "half", "overtime", "ended"])
def test_the_chart_holds_all_that_it_shows(modules: Modules, when: str) -> None:
    fields: dict[str, dict[str, Any]] = {
        "registered": {"state": "registered"},
        "first": {"quarter": 1, "time_remaining": "11:30", "margin": 2},
        "half": {
            "quarter": 3, "time_remaining": "6:00", "margin": -9, "prediction": PREDICTION,
            "state": "predicted",
        },
        "overtime": {"quarter": 5, "time_remaining": "2:00", "margin": 0, "state": "resolved"},
        "ended": {"quarter": 5, "time_remaining": "0:00", "margin": 3, "state": "ended"},
    }  # fmt: skip
    forecasts = {
        "first": running(1, "11:30", 2),
        "half": running(3, "6:00", -9, half=False),
        "overtime": running(5, "2:00", 0, half=False),
    }
    told = modules.run(
        """
        const game = night.gameFrom(given.view, 0);
        game.forecast = given.forecast;
        const line = course.emptyCourse();
        if (game.elapsed !== null) course.addScore(line, game);
        const ahead = fan.fanOf(game.forecast);
        const half = game_words.halftimeOf(game, line);
        const shown = game_figures.fanFigure(game, line, ahead);
        return {figure: shown,
                width: figure.widthAtEnd(shown),
                win: game_figures.winFigure(game, line),
                label: game_words.fanLabel(game, game.forecast),
                rows: game_words.quantileRows(game, game.forecast, half),
                read: game_words.fanReadout(game, line, ahead, 2000),
                winner: game_words.winnerOf(game)};
        """,
        {
            "view": view(**fields[when]).model_dump(mode="json"),
            "forecast": forecasts.get(when),
        },
    )
    figure = told["figure"]
    x, y = figure["x"], figure["y"]
    points = [point for line in figure["lines"] for point in line["points"]]
    points += [mark["at"] for mark in figure["marks"]]
    points += [
        (at, edge) for band in figure["bands"] for at, *edges in band["points"] for edge in edges
    ]
    assert all(x["min"] <= at <= x["max"] for at, _ in points)
    assert all(y["min"] <= margin <= y["max"] for _, margin in points)
    assert x["max"] == (3180 if when in {"overtime", "ended"} else 2880)
    assert len(figure["bands"]) == (3 if when in forecasts else 0)
    assert told["width"] == (pytest.approx(40) if when in forecasts else None)
    assert len(told["rows"]) == 4
    assert [0, "Tied"] in y["ticks"]
    assert ("Not begun." in told["label"]) is (when == "registered")
    assert ("At the end" in told["label"]) is (when in forecasts)
    if when == "ended":
        assert told["rows"][0] == ["Middle", "was Tied", "was DEN +3"]
        assert told["winner"] == {"text": "DEN +3", "label": "at the end"}
    if when == "registered":
        assert told["winner"] == {"text": "–", "label": "to win"}
    if when == "half":
        assert told["winner"] == {"text": "DEN 70\u202f%", "label": "to win"}
        assert told["rows"][0] == ["Middle", "was Tied", "DAL +7.0"]
        assert told["rows"][3] == ["90\u202f%", "–", "DAL +27.0 to DEN +13.0"]
        assert {mark["shape"] for mark in figure["marks"]} == {"whisker", "dot", "ring"}
        assert told["read"].startswith("Q3 2:40 · 50\u202f%: DAL")
