import asyncio
import datetime
import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from websockets.asyncio.server import ServerConnection, serve

from serve_app.replay.closing_table import closing_table
from serve_app.replay.demo import watching
from serve_app.replay.live_view import LiveGame, LiveView, prediction_lines, print_prediction
from serve_app.schemas import Explanation, Outcome, Prediction, SimilarGame

NOW = datetime.datetime(2024, 4, 15, 1, 0, tzinfo=datetime.UTC)
LIKE = SimilarGame(
    game_id="x",
    date=datetime.date(2015, 4, 11),
    home_team="GSW",
    away_team="MIN",
    pattern=[0.0] * 18,
    halftime_differential=5.0,
    distance=1.0,
)
PREDICTION = Prediction(
    point_forecast=6.54,
    interval_lower=-5.2,
    interval_upper=18.3,
    coverage_probability=0.95,
    model_version="v",
    expected_margin=3.0,
    strength="ratings",
    explanation=Explanation(
        dejavu_prediction=6.0,
        lstm_prediction=7.0,
        ensemble_forecast=6.54,
        dejavu_weight=0.4,
        lstm_weight=0.6,
        similar_games=[LIKE],
    ),
    game_id="g",
    pattern=[0.0] * 17 + [4.0],
    made_at=NOW,
    quarter=2,
    time_remaining="5:58",
    minutes_carried_forward=0,
)
OUTCOME = Outcome(
    halftime_margin=21.0, error=14.46, persistence_error=17.0, covered=False, resolved_at=NOW
)
GAME = {"game_id": "g", "home_team": "BOS", "away_team": "WAS", "league": "nba", "state": "live"}


def message(kind: str, **content: Any) -> str:  # noqa: ANN401 - any JSON
    head = {"seq": 1, "type": kind, "time": NOW.isoformat()}
    return json.dumps(head | ({} if kind == "snapshot" else {"game_id": "g"}) | content)


def score(quarter: int, time_remaining: str, home: int, away: int) -> str:
    return message(
        "score",
        quarter=quarter,
        time_remaining=time_remaining,
        score_home=home,
        score_away=away,
        margin=home - away,
    )


def predicted() -> str:
    return message("prediction", prediction=PREDICTION.model_dump(mode="json"))


def resolved() -> str:
    return message("outcome", outcome=OUTCOME.model_dump(mode="json"))


def view_of(*messages: str) -> tuple[LiveView, list[str]]:
    seen: list[str] = []

    async def taking() -> LiveView:
        view = LiveView(lambda _, prediction: seen.append(prediction.game_id))
        for text in messages:
            await view.take(text)
        return view

    return asyncio.run(taking()), seen


def test_a_game_is_followed_from_registration_to_outcome() -> None:
    view, seen = view_of(
        message("game", game=GAME), score(1, "11:40", 2, 0), predicted(), resolved()
    )
    game = view.games["g"]
    assert (game.home, game.away) == ("BOS", "WAS")
    assert game.prediction == PREDICTION
    assert game.outcome == OUTCOME
    assert seen == ["g"]


def test_the_score_shown_is_the_last_at_or_before_the_trigger() -> None:
    view, _ = view_of(
        score(2, "6:10", 40, 38),
        score(2, "6:00", 45, 41),
        score(2, "5:58", 47, 41),
        score(1, "0:00", 3, 3),
    )
    assert view.games["g"].score == (1080.0, 45, 41)


def test_a_snapshot_brings_what_was_missed_and_a_prediction_shows_once() -> None:
    with_outcome = PREDICTION.model_copy(update={"outcome": OUTCOME})
    game = GAME | {"prediction": with_outcome.model_dump(mode="json")}
    view, seen = view_of(
        message("snapshot", games=[game]), predicted(), message("snapshot", games=[game])
    )
    assert seen == ["g"]
    assert view.games["g"].outcome == OUTCOME


def test_unknown_fields_and_other_messages_are_passed_over() -> None:
    view, seen = view_of(message("ended", predicted=1.0), message("revision", revision={}))
    assert seen == []
    assert view.games["g"].prediction is None


def test_it_waits_for_outcomes_and_gives_up_in_time() -> None:
    async def waiting() -> tuple[bool, bool]:
        view = LiveView(lambda *_: None)
        early = await view.resolved(["g"], seconds=0.01)
        task = asyncio.create_task(view.resolved(["g"], seconds=30.0))
        await view.take(resolved())
        return early, await task

    assert asyncio.run(waiting()) == (False, True)


def test_a_prediction_is_printed_for_people() -> None:
    game = LiveGame("BOS", "WAS", (1080.0, 45, 41))
    first, second = (line.plain for line in prediction_lines(game, PREDICTION))
    for part in ("BOS – WAS", "5:58", "45–41", "+6.5", "[-5.2, +18.3]", "95%"):
        assert part in first
    assert "2015-04-11 GSW–MIN +5" in second
    console = Console(width=40, record=True, file=StringIO())
    print_prediction(console)(game, PREDICTION)
    assert "[-5.2, +18.3]" in console.export_text()


def test_the_closing_table_has_every_game_and_the_means() -> None:
    whole = LiveGame("BOS", "WAS", (1080.0, 45, 41), PREDICTION, OUTCOME)
    pending = LiveGame("MIA", "TOR", (1080.0, 38, 35), PREDICTION)
    console = Console(width=100, record=True, file=StringIO())
    console.print(closing_table([whole, pending, LiveGame("NYK", "CHI")], "A night"))
    text = console.export_text()
    (row,) = [line for line in text.splitlines() if "BOS – WAS" in line]
    for cell in ("45–41", "+6.5", "-5.2 to +18.3", "+21 *", "+14.5", "+17.0"):
        assert cell in row
    (means,) = [line for line in text.splitlines() if "mean absolute error" in line]
    assert "14.46" in means
    assert "17.00" in means
    assert "MIA – TOR" in text
    assert "NYK – CHI" in text


def test_a_feed_that_breaks_off_is_connected_to_again() -> None:
    """The first connection ends after the snapshot; the prediction comes over the second."""
    connections = 0

    async def feed(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.send(message("snapshot", games=[GAME]))
        if connections > 1:
            await socket.send(predicted())
            await socket.send(resolved())
            await socket.wait_closed()

    async def follow() -> LiveView:
        view = LiveView(lambda *_: None)
        async with serve(feed, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with watching(f"http://127.0.0.1:{port}", view):
                assert await view.resolved(["g"], seconds=30.0)
        return view

    view = asyncio.run(follow())
    assert connections >= 2
    assert view.games["g"].prediction == PREDICTION


def test_an_error_inside_the_watch_comes_out_as_it_is() -> None:
    async def feed(socket: ServerConnection) -> None:
        await socket.send(message("snapshot", games=[]))
        await socket.wait_closed()

    async def follow() -> None:
        async with serve(feed, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with watching(f"http://127.0.0.1:{port}", LiveView(lambda *_: None)):
                raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        asyncio.run(follow())
