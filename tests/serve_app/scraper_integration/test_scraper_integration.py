"""A scraper wired in three lines: its callbacks reach the service and never raise."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from serve_app.schemas import EndResult, GameView, ListItemResult, Prediction, ScoreResult
from serve_app.scraper_integration import ScraperIntegration, integrate_with_your_scraper
from serve_app.scraper_integration.live_prediction_service import LivePredictionService

PREDICTION = Prediction(
    point_forecast=-12.5,
    interval_lower=-24.0,
    interval_upper=-1.0,
    coverage_probability=0.95,
    model_version="nba-1",
    expected_margin=2.5,
    strength="ratings",
    game_id="g1",
    pattern=[0.0] * 18,
    made_at=datetime(2026, 1, 14, 20, 31, tzinfo=UTC),
    quarter=2,
    time_remaining="5:58",
    minutes_carried_forward=0,
)
START = {
    "game_id": "g1",
    "home_team": "DAL",
    "away_team": "DEN",
    "start_time": "2026-01-14T20:00:00Z",
}
SCORE = {
    "game_id": "g1",
    "quarter": 2,
    "time_remaining": "5:58",
    "score_home": 31,
    "score_away": 46,
    "timestamp": "2026-01-14T20:31:00Z",
}
Sent = list[tuple[str, Any]]


class Scraper:
    """What a scraper has in common with all others: three callbacks that it calls."""

    on_game_start_callback: Any = None
    on_score_update_callback: Any = None
    on_game_end_callback: Any = None

    def run(self) -> None:
        self.on_game_start_callback(START | {"arena": "American Airlines Center"})
        self.on_score_update_callback(SCORE | {"attendance": 19_200})
        self.on_game_end_callback("g1")


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def service(sent: Sent) -> Iterator[LivePredictionService]:
    """Sends without a thread to a service that predicts at every update."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or "null")
        sent.append((f"{request.method} {request.url.path}", body))
        if request.url.path == "/games":
            return _answer(GameView(**body, state="registered"))
        if request.url.path == "/games/g1/end":
            return _answer(EndResult(game_id="g1", predicted=-12.5, actual=-17.0, error=-4.5))
        result = ScoreResult(
            game_id="g1",
            accepted=True,
            duplicate=False,
            game_minute=19,
            margin=-15,
            prediction=PREDICTION,
        )
        item = ListItemResult(status=200, result=result).model_dump(mode="json")
        return httpx.Response(200, json=[item] * len(body))

    with LivePredictionService(background=False, transport=httpx.MockTransport(answer)) as made:
        yield made


def _answer(model: GameView | EndResult) -> httpx.Response:
    return httpx.Response(200, text=model.model_dump_json())


@pytest.fixture
def integration(service: LivePredictionService) -> ScraperIntegration:
    return ScraperIntegration(service)


def test_a_scraper_is_wired_in_three_lines(
    service: LivePredictionService, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    heard: list[Prediction] = []
    scraper = Scraper()
    integration = integrate_with_your_scraper(scraper, service=service, on_prediction=heard.append)
    scraper.run()
    assert integration.prediction_service is service
    assert sent == [
        ("POST /games", START | {"league": "nba"}),
        ("POST /scores", [SCORE]),
        ("POST /games/g1/end", None),
    ]
    assert heard == [PREDICTION]
    assert "game g1 ended: predicted -12.5, actual -17.0, error -4.5" in caplog.text


def test_without_a_service_one_is_made_for_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    integration = integrate_with_your_scraper(Scraper(), "http://127.0.0.1:9")
    with integration.prediction_service as service:
        assert "http://127.0.0.1:9" in repr(service)


def test_what_may_be_unknown_may_be_left_out(integration: ScraperIntegration, sent: Sent) -> None:
    integration.on_game_start({key: START[key] for key in ("game_id", "home_team", "away_team")})
    integration.on_score_update({key: SCORE[key] for key in SCORE if key != "timestamp"})
    assert integration.prediction_service.flush()
    registration, updates = sent[0][1], sent[1][1]
    assert "start_time" not in registration
    assert updates[0].keys() == SCORE.keys()  # the time of seeing stands in


@pytest.mark.parametrize("key", ["game_id", "home_team", "away_team"])
def test_a_missing_key_of_a_game_is_logged(
    integration: ScraperIntegration, sent: Sent, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    integration.on_game_start({name: value for name, value in START.items() if name != key})
    integration.prediction_service.flush()
    assert sent == []
    expected = f"on_game_start: expected game_id, home_team, away_team; missing {key}"
    assert expected in caplog.text


@pytest.mark.parametrize("key", [key for key in SCORE if key != "timestamp"])
def test_a_missing_key_of_a_score_is_logged(
    integration: ScraperIntegration, sent: Sent, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    integration.on_score_update({name: value for name, value in SCORE.items() if name != key})
    integration.prediction_service.flush()
    assert sent == []
    assert f"missing {key}" in caplog.text


class Hostile:
    """Breaks whatever looks at it."""

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def __index__(self) -> int:
        raise ZeroDivisionError


@pytest.mark.parametrize("garbage", [None, 7.5, [], Hostile()])
def test_no_callback_ever_raises(
    integration: ScraperIntegration,
    sent: Sent,
    caplog: pytest.LogCaptureFixture,
    garbage: Any,  # noqa: ANN401
) -> None:
    integration.on_game_start(garbage)
    integration.on_score_update(garbage)
    integration.on_score_update(SCORE | {"score_home": garbage})
    integration.on_game_end(garbage)
    integration.prediction_service.flush()
    assert sent == []
    assert len(caplog.records) == 4
