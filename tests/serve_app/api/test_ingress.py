import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.training.bundle import Bundle
from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import Forecast, Prediction, Problem
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards

PATTERN = [0.0] * 18


class BrittleModel(ServedModel):
    """The shipped model, which fails while it is told to."""

    failing = False

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        if self.failing:
            raise RuntimeError("the models are down")
        return await super().forecast(requests, similar=similar)


@pytest.fixture
def placement(store: Store) -> BrittleModel:
    return BrittleModel(Settings(), store)


@pytest.fixture
async def http(
    service: LiveService, store: Store, placement: BrittleModel
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(max_body_bytes=20_000, max_list_items=50)
    transport = httpx.ASGITransport(
        build_api(settings, service, store, placement), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def register(http: httpx.AsyncClient, game_id: str = "g1") -> None:
    answer = await http.post(
        "/games", json={"game_id": game_id, "home_team": "BOS", "away_team": "LAL"}
    )
    assert answer.status_code == 200


def score(minute: int, **changes: object) -> dict[str, object]:
    quarter, left = (1, 12 - minute) if minute <= 12 else (2, 24 - minute)
    return {
        "quarter": quarter,
        "time_remaining": f"{left}:00",
        "score_home": minute,
        "score_away": 0,
        **changes,
    }


def problem(answer: httpx.Response, status: int, name: str) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content)
    assert (found.status, found.type) == (status, f"urn:problem:{name}")
    assert found.detail
    return found


async def play_to_six_minutes(http: httpx.AsyncClient, game_id: str = "g1") -> httpx.Response:
    await register(http, game_id)
    return await http.post(
        "/scores", json=[score(minute, game_id=game_id) for minute in range(1, 19)]
    )


class TestPredict:
    async def test_the_answer_has_the_fields_of_the_contract(self, http: httpx.AsyncClient):
        answer = await http.post("/predict", json={"pattern": PATTERN, "alpha": 0.2})
        body = answer.json()
        assert answer.status_code == 200
        assert body["interval_lower"] < body["point_forecast"] < body["interval_upper"]
        assert body["coverage_probability"] == 0.8
        assert body["strength"] == "home_advantage"
        assert set(body["explanation"]) == {
            "dejavu_prediction",
            "lstm_prediction",
            "ensemble_forecast",
            "dejavu_weight",
            "lstm_weight",
            "similar_games",
        }
        assert set(body["explanation"]["similar_games"][0]) == {
            "game_id",
            "date",
            "home_team",
            "away_team",
            "pattern",
            "halftime_differential",
            "final_differential",
            "distance",
        }

    async def test_no_explanation_where_none_is_asked_for(self, http: httpx.AsyncClient):
        answer = await http.post("/predict", json={"pattern": PATTERN, "return_explanation": False})
        assert "explanation" not in answer.json()

    async def test_the_answer_to_an_old_body_has_what_is_new_beside_it(
        self, http: httpx.AsyncClient
    ):
        body = (await http.post("/predict", json={"pattern": PATTERN})).json()
        assert body["horizon"] == "halftime"
        assert list(body["quantiles"]) == ["0.05", "0.10", "0.25", "0.50", "0.75", "0.90", "0.95"]
        assert list(body["quantiles"].values()) == sorted(body["quantiles"].values())
        assert body["calibration_version"].startswith(body["model_version"])
        assert body["expected_margin_sd"] > 0
        assert "win_probability" not in body
        assert "probabilities_above" not in body

    async def test_the_final_margin_is_forecast_from_any_minute(self, http: httpx.AsyncClient):
        for minutes in (1, 18, 24, 47):
            asked = {
                "pattern": [4.0] * minutes,
                "horizon": "final",
                "alpha": 0.1,
                "lines": [-60.0, 0.0, 5.5, 60.0],
                "date": "2024-04-20",
                "playoffs": True,
                "last_score": "away",
                "seconds_since_score": 4.0,
            }
            body = (await http.post("/predict", json=asked)).json()
            above = [line["probability"] for line in body["probabilities_above"]]
            assert body["horizon"] == "final"
            assert body["interval_lower"] == body["quantiles"]["0.05"]
            assert [line["line"] for line in body["probabilities_above"]] == asked["lines"]
            assert above == sorted(above, reverse=True)
            assert above[1] == body["win_probability"]
            assert above[0] > 0.99
            assert above[3] < 0.01

    async def test_a_pattern_that_reaches_halftime_is_told_what_to_ask_for(
        self, http: httpx.AsyncClient
    ):
        answer = await http.post("/predict", json={"pattern": [0.0] * 30})
        found = problem(answer, 422, "invalid_request")
        assert "expected 1 to 23 margins with horizon halftime" in found.detail
        assert "up to 48 with horizon final; 30 came" in found.detail

    async def test_the_callers_expected_margin_goes_before_the_ratings(
        self, http: httpx.AsyncClient
    ):
        teams = {"pattern": PATTERN, "home_team": "BOS", "away_team": "LAL"}
        rated = (await http.post("/predict", json=teams)).json()
        given = (await http.post("/predict", json={**teams, "expected_margin": -9.5})).json()
        assert (rated["strength"], given["strength"]) == ("ratings", "caller")
        assert given["expected_margin"] == -9.5
        assert given["point_forecast"] < rated["point_forecast"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"pattern": []}, "pattern"),
            ({"pattern": [0.0] * 24}, "pattern"),
            ({"pattern": [0.0] * 49, "horizon": "final"}, "pattern"),
            ({"horizon": "never"}, "horizon"),
            ({"last_score": "home"}, "seconds_since_score"),
            ({"seconds_since_score": 3.0}, "seconds_since_score"),
            ({"last_score": "home", "seconds_since_score": -1.0}, "seconds_since_score"),
            ({"last_score": "both", "seconds_since_score": 1.0}, "last_score"),
            ({"lines": [0.5] * 21}, "lines"),
            ({"lines": ["x"]}, "lines.0"),
            ({"date": "yesterday"}, "date"),
            ({"playoffs": 1}, "playoffs"),
            ({"pattern": [0.0] * 17 + ["x"]}, "pattern.17"),
            ({"pattern": [0.0] * 17 + [1e9]}, "pattern.17"),
            ({"alpha": 1}, "alpha"),
            ({"alpha": 0}, "alpha"),
            ({"alpha": 10**400}, "alpha"),
            ({"pattern": [10**400, *[0] * 17]}, "pattern.0"),
            ({"alpha": True}, "alpha"),
            ({"expected_margin": 1000}, "expected_margin"),
            ({"patern": 1}, "patern"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, http: httpx.AsyncClient, changes: dict[str, object], field: str
    ):
        answer = await http.post("/predict", json={"pattern": PATTERN, **changes})
        found = problem(answer, 422, "invalid_request").model_dump()
        assert [error["field"] for error in found["errors"]] == [field]
        assert found["errors"][0]["expected"]

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    async def test_numbers_that_are_none(self, http: httpx.AsyncClient, number: str):
        body = json.dumps({"pattern": PATTERN}).replace("0.0", number, 1)
        answer = await http.post(
            "/predict", content=body, headers={"content-type": "application/json"}
        )
        problem(answer, 422, "invalid_request")

    async def test_a_batch_answers_in_order_and_a_bad_item_spoils_no_other(
        self, http: httpx.AsyncClient
    ):
        items = [{"pattern": [float(n)] * 18, "return_explanation": False} for n in range(3)]
        items[1] = {"pattern": []}
        first, second, third = (await http.post("/predict/batch", json=items)).json()
        alone = (await http.post("/predict", json=items[2])).json()
        assert Problem.model_validate(second).status == 422
        assert second["errors"][0]["field"] == "1.pattern"
        assert third == alone
        assert Forecast.model_validate(first).point_forecast < third["point_forecast"]


class TestScores:
    async def test_the_crossing_makes_the_prediction_and_halftime_resolves_it(
        self, http: httpx.AsyncClient
    ):
        answers = (await play_to_six_minutes(http)).json()
        assert [item["status"] for item in answers] == [200] * 18
        made = Prediction.model_validate(answers[-1]["result"]["prediction"])
        read = await http.get("/games/g1/prediction")
        assert Prediction.model_validate_json(read.content) == made
        half = await http.post("/games/g1/scores", json=score(24, score_home=30))
        assert half.json()["accepted"]
        outcome = (await http.get("/games/g1/prediction")).json()["outcome"]
        assert outcome["halftime_margin"] == 30
        assert outcome["error"] == 30 - made.point_forecast
        assert (await http.get("/games/g1")).json()["state"] == "resolved"
        ended = (await http.post("/games/g1/end")).json()
        assert (ended["predicted"], ended["actual"]) == (made.point_forecast, 30)

    async def test_in_a_list_only_the_bad_items_fail(self, http: httpx.AsyncClient):
        await register(http)
        good = score(1, game_id="g1")
        bad = [
            {**good, "quarter": 0},
            {**good, "time_remaining": "13:00"},
            {**good, "score_home": -1},
            {**good, "score_home": 1000},
            {**good, "score_home": "12"},
            {**good, "score_home": 10**400},
            {**good, "sequence": 10**400},
            {**good, "game_id": "unknown"},
            {**good, "game_id": ""},
            "what",
            None,
        ]
        answers = (await http.post("/scores", json=[good, *bad, score(2, game_id="g1")])).json()
        assert [item["status"] for item in answers] == [200, *[422] * 7, 404, 422, 422, 422, 200]
        assert all("problem" in item for item in answers[1:-1])
        assert (await http.get("/games/g1")).json()["updates"] == 2

    @pytest.mark.parametrize(
        ("changes", "field", "expected"),
        [
            ({"quarter": 0}, "quarter", "expected 1 to 4"),
            ({"time_remaining": "13:00"}, "time_remaining", "expected 0 to 720 seconds"),
            ({"time_remaining": "six"}, "time_remaining", "expected a clock such as 6:00"),
            ({"quarter": 5, "time_remaining": "6:00"}, "time_remaining", "0 to 300 seconds"),
        ],
    )
    async def test_a_wrong_clock_names_its_field(
        self, http: httpx.AsyncClient, changes: dict[str, object], field: str, expected: str
    ):
        await register(http)
        answer = await http.post("/games/g1/scores", json={**score(1), **changes})
        (error,) = problem(answer, 422, "invalid_request").model_dump()["errors"]
        assert (error["field"], error["value"]) == (field, changes[field])
        assert expected in error["expected"]

    async def test_a_repeat_of_the_crossing_is_answered_as_the_first_was(
        self, http: httpx.AsyncClient
    ):
        first = (await play_to_six_minutes(http)).json()[-1]["result"]
        again = (await http.post("/scores", json=[score(18, game_id="g1")])).json()[0]["result"]
        assert again == {**first, "duplicate": True}

    async def test_a_repeat_says_so(self, http: httpx.AsyncClient):
        await register(http)
        answers = [
            (await http.post("/games/g1/scores", json=score(1, sequence=7))).json()
            for _ in range(2)
        ]
        assert [answer["duplicate"] for answer in answers] == [False, True]
        assert answers[0]["margin"] == answers[1]["margin"] == 1

    async def test_too_many_missing_minutes_are_listed(self, http: httpx.AsyncClient):
        await register(http)
        answer = (await http.post("/games/g1/scores", json=score(19))).json()
        assert answer["insufficient_pattern"]["missing_minutes"] == list(range(1, 19))
        found = problem(await http.get("/games/g1/prediction"), 404, "insufficient_pattern")
        assert found.model_dump()["missing_minutes"] == list(range(1, 19))

    async def test_an_unknown_game_is_a_404_that_says_how_to_register(
        self, http: httpx.AsyncClient
    ):
        found = problem(await http.post("/games/x/scores", json=score(1)), 404, "unknown_game")
        assert "POST /games" in found.detail


class TestLog:
    async def test_predictions_page_by_page_and_as_lines(self, http: httpx.AsyncClient):
        for game_id in ("a", "b", "c"):
            await play_to_six_minutes(http, game_id)
        first = (await http.get("/predictions", params={"limit": 2})).json()
        rest = (await http.get("/predictions", params={"since": first["next_since"]})).json()
        assert [p["game_id"] for p in first["predictions"]] == ["a", "b"]
        assert [p["game_id"] for p in rest["predictions"]] == ["c"]
        lines = (await http.get("/predictions.jsonl")).text.splitlines()
        assert [json.loads(line)["game_id"] for line in lines] == ["a", "b", "c"]

    async def test_accuracy_stands_beside_persistence(self, http: httpx.AsyncClient):
        assert (await http.get("/accuracy")).json()["resolved"] == 0
        await play_to_six_minutes(http)
        await http.post("/games/g1/scores", json=score(24, score_home=30))
        found = (await http.get("/accuracy")).json()
        assert (found["predicted"], found["resolved"]) == (1, 1)
        assert found["persistence"]["mae"] == 12
        made = (await http.get("/games/g1/prediction")).json()
        assert found["ensemble"]["mae"] == abs(30 - made["point_forecast"])


class TestRunningForecast:
    async def test_a_game_carries_it_at_every_clock(
        self, http: httpx.AsyncClient, shards: LocalShards
    ):
        await register(http)
        for minute, horizons in ((1, {"halftime", "final"}), (24, {"final"})):
            items = [score(m, game_id="g1") for m in range(1, minute + 1)]
            await http.post("/scores", json=items)
            await shards.settle()
            game = (await http.get("/games/g1")).json()
            forecast = game["forecast"]
            assert (forecast["margin"], forecast["updates"]) == (minute, minute)
            assert {name for name in ("halftime", "final") if forecast[name]} == horizons
            assert 0 < forecast["final"]["win_probability"] < 1
            assert forecast["final"]["quantiles"]["0.50"] > 0

    async def test_a_running_and_an_asked_forecast_are_the_same_to_the_bit(
        self, http: httpx.AsyncClient, shards: LocalShards
    ):
        await register(http)
        await http.post("/scores", json=[score(m, game_id="g1") for m in range(1, 21)])
        await shards.settle()
        running = (await http.get("/games/g1")).json()
        asked = {
            "pattern": [float(minute) for minute in range(1, 21)],
            "home_team": "BOS",
            "away_team": "LAL",
            "date": running["day"],
            "last_score": "home",
            "seconds_since_score": 0.0,
        }
        for horizon in ("halftime", "final"):
            answer = (await http.post("/predict", json={**asked, "horizon": horizon})).json()
            made = {k: v for k, v in running["forecast"][horizon].items() if v is not None}
            assert made == {name: answer[name] for name in made}


class TestStatus:
    async def test_health_ready_and_models(self, http: httpx.AsyncClient, bundle: Bundle):
        assert (await http.get("/health")).json() == {"status": "ok"}
        ready = (await http.get("/ready")).json()
        assert (ready["status"], ready["model_version"]) == ("ready", bundle.model_version)
        models = (await http.get("/models")).json()
        assert models["library_games"] == len(bundle.library.games)

    async def test_the_page_has_a_content_policy_and_its_assets(self, http: httpx.AsyncClient):
        page = await http.get("/")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert (await http.get("/assets/dashboard.css")).status_code == 200
        problem(await http.get("/assets/..%2f__init__.py"), 404, "not_found")

    async def test_every_route_of_the_contract_is_described(self, http: httpx.AsyncClient):
        paths = (await http.get("/openapi.json")).json()["paths"]
        assert set(paths) == {
            "/predict",
            "/predict/batch",
            "/games",
            "/games/{game_id}",
            "/games/{game_id}/scores",
            "/games/{game_id}/end",
            "/games/{game_id}/prediction",
            "/games/{game_id}/course",
            "/games/{game_id}/similar",
            "/library/{game_id}",
            "/scores",
            "/predictions",
            "/predictions.jsonl",
            "/predictions.parquet",
            "/accuracy",
            "/accuracy/days",
            "/health",
            "/ready",
            "/models",
            "/webhooks",
            "/webhooks/{webhook_id}",
            "/webhooks/{webhook_id}/rotate",
            "/webhooks/{webhook_id}/test",
            "/webhooks/{webhook_id}/deliveries",
            "/webhooks/{webhook_id}/deliveries/{delivery_id}/resend",
            "/system",
        }


class TestRefusals:
    async def test_wrong_json(self, http: httpx.AsyncClient):
        headers = {"content-type": "application/json"}
        answer = await http.post("/predict", content="{nope", headers=headers)
        problem(answer, 400, "malformed_body")
        deep = await http.post("/predict", content="[" * 9_000, headers=headers)
        problem(deep, 400, "malformed_body")

    async def test_json_without_its_content_type(self, http: httpx.AsyncClient):
        found = problem(await http.post("/scores", content="[]"), 400, "malformed_body")
        assert "Content-Type: application/json" in found.detail

    async def test_a_body_over_the_limit_declared_or_streamed(self, http: httpx.AsyncClient):
        headers = {"content-type": "application/json"}
        declared = await http.post("/scores", content="[" + " " * 20_000, headers=headers)
        problem(declared, 413, "payload_too_large")

        async def stream() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b" " * 1_000

        streamed = await http.post("/scores", content=stream(), headers=headers)
        problem(streamed, 413, "payload_too_large")

    async def test_a_list_over_the_limit(self, http: httpx.AsyncClient):
        problem(await http.post("/scores", json=[1] * 51), 413, "list_too_long")
        problem(await http.post("/predict/batch", json=[1] * 51), 413, "list_too_long")

    async def test_an_unknown_route_and_method(self, http: httpx.AsyncClient):
        problem(await http.get("/nothing"), 404, "not_found")
        problem(await http.put("/predict", json={}), 405, "method_not_allowed")

    async def test_text_that_utf8_cannot_carry_is_no_defect(self, http: httpx.AsyncClient):
        answer = await http.post(
            "/games",
            content=r'{"game_id": "\ud800", "home_team": "BOS", "away_team": "\ud800"}',
            headers={"content-type": "application/json"},
        )
        problem(answer, 422, "invalid_request")

    async def test_an_answer_that_takes_too_long_is_a_problem(self, shard: GameShard, store: Store):
        class Stuck(ServedModel):
            async def forecast(
                self, requests: Sequence[ForecastRequest], *, similar: int
            ) -> list[MarginForecast]:
                await asyncio.Event().wait()
                return []

        settings = Settings(request_timeout_seconds=0.05)
        model = Stuck(settings, store)
        service = LiveService(settings, LocalShards(shard, model), model)
        transport = httpx.ASGITransport(build_api(settings, service, store, model))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
            problem(await http.post("/predict", json={"pattern": PATTERN}), 504, "timeout")

    async def test_a_defect_is_a_problem_too(
        self, http: httpx.AsyncClient, placement: BrittleModel
    ):
        placement.failing = True
        found = problem(await http.post("/predict", json={"pattern": PATTERN}), 500, "internal")
        assert "the models are down" not in found.detail
