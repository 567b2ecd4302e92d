"""The routes of a game's course, over the shipped bundle with both models in this process."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from models.training.bundle import Bundle
from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import EXAMPLE_PAST_GAME, GameCourse, PastGame, SimilarPastGames
from serve_app.settings import Settings
from serve_app.storage.store import Store
from tests.serve_app.api.test_ingress import play_to_six_minutes, problem, register, score
from tests.serve_app.conftest import LocalShards


@pytest.fixture
def placement(store: Store) -> ServedModel:
    return ServedModel(Settings(), store)


@pytest.fixture
async def http(
    service: LiveService, store: Store, placement: ServedModel
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(
        build_api(Settings(), service, store, placement), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def similar(http: httpx.AsyncClient, limit: int | None = None) -> SimilarPastGames:
    params = {} if limit is None else {"limit": limit}
    answer = await http.get("/games/g1/similar", params=params)
    assert answer.status_code == 200, answer.text
    return SimilarPastGames.model_validate_json(answer.content)


async def predicted(
    http: httpx.AsyncClient, pattern: list[float], **fields: object
) -> list[dict[str, Any]]:
    """The similar games that `/predict` names for a pattern of the game g1."""
    game = (await http.get("/games/g1")).json()
    asked: dict[str, object] = {"pattern": pattern, "horizon": "final", **fields}
    for name in ("home_team", "away_team", "playoffs"):
        asked[name] = game[name]
    answer = await http.post("/predict", json={**asked, "date": game["day"]})
    named: list[dict[str, Any]] = answer.json()["explanation"]["similar_games"]
    return named


class TestCourse:
    async def test_a_game_so_far(self, http: httpx.AsyncClient, shards: LocalShards):
        await register(http)
        for minute in (1, 2, 3):
            await http.post("/scores", json=[score(minute, game_id="g1")])
            await shards.settle()
        answer = await http.get("/games/g1/course")
        course = GameCourse.model_validate_json(answer.content)
        assert (course.game_id, course.home_team, course.away_team) == ("g1", "BOS", "LAL")
        assert [(one.elapsed_seconds, one.margin) for one in course.margins] == [
            (60.0, 1),
            (120.0, 2),
            (180.0, 3),
        ]
        running = (await http.get("/games/g1")).json()["forecast"]
        assert [one.elapsed_seconds for one in course.forecasts] == [60.0, 120.0, 180.0]
        newest = course.forecasts[-1]
        assert newest.margin == 3
        assert newest.halftime_point == running["halftime"]["point_forecast"]
        assert newest.final_point == running["final"]["point_forecast"]
        assert newest.win_probability == running["final"]["win_probability"]
        assert answer.headers["cache-control"] == "no-store"

    async def test_it_is_there_before_the_first_update_and_after_the_end(
        self, http: httpx.AsyncClient
    ):
        await register(http)
        empty = (await http.get("/games/g1/course")).json()
        assert (empty["margins"], empty["forecasts"]) == ([], [])
        await http.post("/games/g1/scores", json=score(1))
        before = (await http.get("/games/g1/course")).json()
        await http.post("/games/g1/end")
        assert (await http.get("/games/g1/course")).json() == before

    async def test_of_an_unknown_game_there_is_none(self, http: httpx.AsyncClient):
        problem(await http.get("/games/x/course"), 404, "unknown_game")
        problem(await http.get("/games/x/similar"), 404, "unknown_game")


class TestSimilar:
    async def test_they_are_those_of_a_prediction_for_the_same_state(
        self, http: httpx.AsyncClient, bundle: Bundle
    ):
        crossing = (await play_to_six_minutes(http)).json()[-1]["result"]["prediction"]
        found = await similar(http)
        assert (found.game_id, found.minute, found.margin) == ("g1", 18, 18.0)
        pattern = [float(minute) for minute in range(1, 19)]
        for named in (await predicted(http, pattern), crossing["explanation"]["similar_games"]):
            assert [(game.game_id, game.distance) for game in found.games] == [
                (game["game_id"], game["distance"]) for game in named
            ]
            for game, told in zip(found.games, named, strict=True):
                assert [float(margin) for margin in game.margins[:18]] == told["pattern"]
                assert game.halftime_margin == told["halftime_differential"] == game.margins[23]
                assert game.final_margin == told["final_differential"]
        distances = [game.distance for game in found.games]
        assert distances == sorted(distances)
        assert {len(game.margins) for game in found.games} == {48}

    async def test_between_two_minutes_they_are_those_of_the_last_one(
        self, http: httpx.AsyncClient
    ):
        await play_to_six_minutes(http)
        at_the_minute = await similar(http)
        late = score(18, time_remaining="5:12", score_home=31)
        await http.post("/games/g1/scores", json=late)
        assert await similar(http) == at_the_minute

    async def test_a_correction_of_that_minute_counts(self, http: httpx.AsyncClient):
        await play_to_six_minutes(http)
        before = await similar(http)
        await http.post("/games/g1/scores", json=score(18, score_home=4))
        after = await similar(http)
        assert (before.margin, after.margin) == (18.0, 4.0)
        pattern = [*(float(minute) for minute in range(1, 18)), 4.0]
        assert [game.game_id for game in after.games] == [
            game["game_id"] for game in await predicted(http, pattern)
        ]

    async def test_the_callers_expected_margin_is_searched_with(self, http: httpx.AsyncClient):
        game = {"game_id": "g1", "home_team": "BOS", "away_team": "LAL", "expected_margin": -12.5}
        await http.post("/games", json=game)
        await http.post("/scores", json=[score(minute, game_id="g1") for minute in range(1, 19)])
        pattern = [float(minute) for minute in range(1, 19)]
        found = [(one.game_id, one.distance) for one in (await similar(http)).games]
        named = await predicted(http, pattern, expected_margin=-12.5)
        assert found == [(one["game_id"], one["distance"]) for one in named]
        rated = await predicted(http, pattern)
        assert found != [(one["game_id"], one["distance"]) for one in rated]

    async def test_a_limit_asks_for_so_many(self, http: httpx.AsyncClient):
        await play_to_six_minutes(http)
        fifty = await similar(http, 50)
        assert len(fifty.games) == 50
        assert (await similar(http, 3)).games == fifty.games[:3]
        assert (await similar(http)).games == fifty.games[:10]
        for limit in (0, 51, "many"):
            answer = await http.get("/games/g1/similar", params={"limit": limit})
            problem(answer, 422, "invalid_request")

    async def test_after_overtime_and_the_end_they_are_those_of_the_47th_minute(
        self, http: httpx.AsyncClient
    ):
        await register(http)
        course = [score(minute, game_id="g1") for minute in range(1, 25)]
        for minute in range(25, 49):
            quarter = 3 if minute <= 36 else 4
            clock = f"{12 * quarter - minute}:00"
            course.append(score(24, game_id="g1", quarter=quarter, time_remaining=clock))
        course[-1]["score_away"] = course[-1]["score_home"]
        course.append(score(24, game_id="g1", quarter=5, time_remaining="4:00", score_home=30))
        await http.post("/scores", json=course)
        found = await similar(http)
        assert (found.minute, found.margin) == (47, 24.0)
        pattern = [float(min(minute, 24)) for minute in range(1, 48)]
        named = await predicted(http, pattern)
        assert [game.game_id for game in found.games] == [game["game_id"] for game in named]
        await http.post("/games/g1/end")
        assert await similar(http) == found

    async def test_without_a_completed_minute_there_is_nothing_to_compare(
        self, http: httpx.AsyncClient
    ):
        await register(http)
        for body in (None, score(1, time_remaining="11:30")):
            if body is not None:
                await http.post("/games/g1/scores", json=body)
            answer = await http.get("/games/g1/similar")
            found = problem(answer, 404, "nothing_to_compare")
            assert "got 0 completed" in found.detail
            assert answer.headers["cache-control"] == "no-store"

    async def test_nor_where_too_many_minutes_went_unseen(self, http: httpx.AsyncClient):
        await register(http)
        await http.post("/games/g1/scores", json=score(6))
        found = problem(await http.get("/games/g1/similar"), 404, "nothing_to_compare")
        assert found.model_dump()["missing_minutes"] == [1, 2, 3, 4, 5]


class TestLibrary:
    async def test_a_similar_game_is_found_there(self, http: httpx.AsyncClient):
        await play_to_six_minutes(http)
        (nearest, *_) = (await similar(http)).games
        answer = await http.get(f"/library/{nearest.game_id}")
        past = PastGame.model_validate_json(answer.content)
        assert (past.game_id, past.date, past.margins) == (
            nearest.game_id,
            nearest.date,
            nearest.margins,
        )
        assert past.final_home - past.final_away == past.final_margin == nearest.final_margin
        assert answer.headers["cache-control"] == "private, max-age=3600"

    async def test_the_example_of_the_description_is_in_the_shipped_library(
        self, http: httpx.AsyncClient
    ):
        assert (await http.get(f"/library/{EXAMPLE_PAST_GAME}")).status_code == 200

    async def test_a_game_that_it_does_not_hold_is_a_404(self, http: httpx.AsyncClient):
        answer = await http.get("/library/nothing")
        assert (
            "games in the library of nba-2023" in problem(answer, 404, "unknown_past_game").detail
        )
        assert answer.headers["cache-control"] == "no-store"
        problem(await http.get("/library/..."), 422, "invalid_request")
