"""What the page says of a game."""

from serve_app.schemas import Explanation
from tests.serve_app.dashboard.page_modules import (
    PREDICTION,
    RUNNING,
    Modules,
    needs_node,
    view,
)


@needs_node
def test_words_name_the_team_that_leads(modules: Modules) -> None:
    explanation = Explanation(
        dejavu_prediction=7, lstm_prediction=8, ensemble_forecast=7.4, dejavu_weight=0.6,
        lstm_weight=0.4, similar_games=[],
    )  # fmt: skip
    prediction = PREDICTION.model_copy(
        update={"explanation": explanation, "minutes_carried_forward": 2}
    )
    game = view(margin=-3, prediction=prediction).model_dump(mode="json")
    said = modules.run(
        """
        const {prediction} = given;
        const both = {interval_lower: 1.2, interval_upper: 25.14};
        const away = {interval_lower: -25.1, interval_upper: -1.2};
        return [words.lead(given, 7.44), words.lead(given, -3, 0), words.lead(given, 0.04),
                words.span(given, prediction), words.span(given, both), words.span(given, away),
                words.frozenText(prediction), words.percent(0.95, 1), words.percent(0.9467, 1),
                words.announcement(given), words.makeupOf(given)];
        """,
        game,
    )
    assert said == [
        "DEN +7.4",
        "DAL +3",
        "Tied",
        "DAL +4.6 to DEN +19.4",
        "DEN +1.2 to +25.1",
        "DAL +1.2 to +25.1",
        "Frozen at Q2 6:00, 2 minutes carried forward",
        "95\u202f%",
        "94.7\u202f%",
        "DAL at DEN: DEN +7.4 forecast at halftime, DAL +4.6 to DEN +19.4.",
        "Dejavu DEN +7.0 × 0.60 · LSTM DEN +8.0 × 0.40 · "
        "expected before the game DEN +2.5, from team ratings · model test",
    ]


@needs_node
def test_the_running_forecast_in_words(modules: Modules) -> None:
    chances = [0.631, 0.5, 0.369, 0.997, 0.003, 1, 0]
    said = modules.run(
        """
        const {game, forecasts, chances, ends} = given;
        return [...forecasts.map(words.runningText), words.span(game, game.forecast.halftime),
                ...chances.map((chance) => words.winText(game, chance)),
                words.chanceText(game, game.forecast), words.chanceText(game, null),
                ...ends.map(([quarter, time_remaining, margin]) =>
                  words.wonText(game, {quarter, time_remaining, margin}))];
        """,
        {
            "game": view(forecast=RUNNING).model_dump(mode="json"),
            "forecasts": [
                RUNNING.model_dump(mode="json"),
                {"quarter": 5, "time_remaining": "0:07.2"},
                None,
            ],
            "chances": chances,
            "ends": [
                (4, "0:00", 7),
                (5, "0:00", -3),
                (4, "0:12", 7),
                (2, "0:00", 7),
                (4, "0:00", 0),
            ],
        },
    )
    assert said == [
        "Running forecast at Q2 4:12",
        "Running forecast at OT 0:07.2",
        "No running forecast",
        "DAL +6.2 to DEN +10.4",
        "DEN 63\u202f%",
        "DEN 50\u202f%",
        "DAL 63\u202f%",
        "DEN >99\u202f%",
        "DAL >99\u202f%",
        "DEN 100\u202f%",
        "DAL 100\u202f%",
        "DEN 63\u202f%",
        "",
        "DEN won",
        "DAL won",
        "",
        "",
        "",
    ]


@needs_node
def test_clocks_read_like_a_scoreboard(modules: Modules) -> None:
    clocks = [
        (2, "6:00", "live", "Q2 6:00"),
        (2, "PT06M01.00S", "live", "Q2 6:01"),
        (2, "0:57.4", "predicted", "Q2 0:57"),
        (4, ":32.1", "resolved", "Q4 0:32"),
        (1, "0:00", "live", "End Q1"),
        (2, "0:00", "resolved", "Half"),
        (5, "2:10", "resolved", "OT 2:10"),
        (6, "2:10", "resolved", "2OT 2:10"),
        (4, "0:00", "ended", "Final"),
        (5, "0:00", "ended", "Final/OT"),
        (None, None, "registered", "Not started"),
    ]
    games = [{"quarter": q, "time_remaining": clock, "state": s} for q, clock, s, _ in clocks]
    texts = modules.run("return given.map(words.clockText);", games)
    assert texts == [text for *_, text in clocks]


@needs_node
def test_a_game_without_a_forecast_says_why(modules: Modules) -> None:
    seen = [[0, 0], *([minute * 60, 1] for minute in range(1, 19))]
    holes = [point for point in seen if point[0] / 60 not in {4, 5, 6, 11}]
    games = [
        {"state": "registered", "elapsed": None, "trail": seen[:1]},
        {"state": "live", "elapsed": 1040, "trail": holes},
        {"state": "live", "elapsed": 1081, "trail": seen},
        {"state": "live", "elapsed": 1081, "trail": holes},
        {"state": "missed", "elapsed": 1440, "trail": holes},
        {"state": "missed", "elapsed": 1440, "trail": seen},
        {"state": "ended", "elapsed": 1440, "trail": holes},
    ]
    assert modules.run("return given.map(words.remarkOf);", games) == [
        "Waiting for the first score.",
        "Forecast in 0:40 of game clock.",
        "At 6:00; the forecast is being made.",
        "No forecast yet: no update came for minutes 4–6, 11.",
        "No forecast: halftime came first, without an update in minutes 4–6, 11.",
        "No forecast: halftime came first.",
        "Ended without a forecast.",
    ]


@needs_node
def test_a_forecast_that_came_too_late_says_that_it_does_not_count(modules: Modules) -> None:
    late = PREDICTION.model_copy(update={"made_after_halftime": True, "minutes_carried_forward": 1})
    assert modules.run("return words.frozenText(given);", late.model_dump(mode="json")) == (
        "Frozen at Q2 6:00 (made after halftime, does not count), 1 minute carried forward"
    )
