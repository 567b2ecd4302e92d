"""The clients: every route, typed answers and errors, and when a request is repeated."""

import asyncio
import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from serve_app.client import AsyncForecastClient, ForecastClient, NBAForecastClient, errors
from serve_app.client.exchange import DEFAULT_RETRY, Retry
from serve_app.schemas import (
    Accuracy,
    AccuracyDay,
    AccuracyDays,
    DriftAlarm,
    EndResult,
    Forecast,
    ForecastAt,
    GameCourse,
    GameScoreUpdate,
    GameView,
    Health,
    LevelCalibration,
    ListItemResult,
    MarginAt,
    Models,
    PastGame,
    Prediction,
    PredictionLog,
    PredictRequest,
    Problem,
    Ready,
    ScoreResult,
    SimilarPastGame,
    SimilarPastGames,
    Skill,
)

PATTERN = [float(minute) for minute in range(18)]
FORECAST = Forecast(
    point_forecast=5.5,
    interval_lower=-6.0,
    interval_upper=17.0,
    coverage_probability=0.95,
    model_version="nba-1",
    expected_margin=2.5,
    strength="ratings",
)
PREDICTION = Prediction(
    **dict(FORECAST),
    game_id="g1",
    pattern=PATTERN,
    made_at=datetime(2026, 1, 14, 20, 31, tzinfo=UTC),
    quarter=2,
    time_remaining="5:58",
    minutes_carried_forward=0,
)
GAME = GameView(game_id="g1", home_team="DAL", away_team="DEN", league="nba", state="registered")
COURSE = GameCourse(
    game_id="g1",
    home_team="DAL",
    away_team="DEN",
    margins=[MarginAt(elapsed_seconds=20.0, margin=2)],
    forecasts=[
        ForecastAt(
            elapsed_seconds=20.0,
            margin=2.0,
            halftime_point=None,
            final_point=4.5,
            win_probability=0.6,
        )
    ],
)
PAST_GAME = PastGame(
    game_id="0021800001",
    date=date(2018, 10, 16),
    season=2018,
    playoffs=False,
    home_team="BOS",
    away_team="PHI",
    final_home=105,
    final_away=87,
    expected_margin=6.5,
    margins=[*range(48)],
    halftime_margin=23,
    final_margin=18,
)
SIMILAR = SimilarPastGames(
    game_id="g1",
    minute=1,
    margin=2.0,
    games=[SimilarPastGame.model_validate({**dict(PAST_GAME), "distance": 1.25})],
)
SCORE = ScoreResult(game_id="g1", accepted=True, duplicate=False, game_minute=1, margin=2)
ITEM = ListItemResult(status=200, result=SCORE)
END = EndResult(game_id="g1", predicted=5.5, actual=7.0, error=1.5)
ACCURACY = Accuracy(
    resolved=0,
    predicted=1,
    drift_alarm=DriftAlarm(games=0, location=1.0, spread=1.0, highest=1.0, raised=False),
)
SKILL = Skill(mae=4.5, rmse=5.5, crps=3.2, coverage=0.95, width=23.0, interval_score=27.0)
ACCURACY_DAYS = AccuracyDays(
    days=[
        AccuracyDay(
            day=date(2026, 1, 14),
            resolved=8,
            coverage_target=0.95,
            ensemble=SKILL,
            persistence=SKILL,
        )
    ],
    calibration=[LevelCalibration(level=0.05, observed=0.0625, predictions=8)],
)
LOG = PredictionLog(predictions=[PREDICTION], next_since=7)
READY = Ready(status="ready", model_version="nba-1", shards=2, placement="fused")
MODELS = Models(
    model_version="nba-1",
    calibration_version="nba-1+0",
    learned_games=0,
    ratings_day=None,
    train_seasons=[2020],
    weights_seasons=[2021],
    calibration_seasons=[2022],
    dejavu_weight=0.3,
    lstm_weight=0.7,
    library_games=1000,
    placement="fused",
)
NO_SUCH_GAME = Problem(
    type="urn:problem:unknown_game", title="Unknown game", status=404, detail="register it first"
)

Outcome = httpx.Response | Exception


@dataclass
class Wire:
    """Stands in for the network: gives the outcomes in turn, and keeps the requests."""

    outcomes: list[Outcome]
    requests: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(  # a fresh one: httpx ties a response to the client that read it
            outcome.status_code, headers=outcome.headers, content=outcome.content
        )

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    def client(
        self,
        base_url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        retry: Retry = DEFAULT_RETRY,
    ) -> ForecastClient:
        return ForecastClient(
            base_url,
            api_key=api_key,
            retry=retry,
            transport=self.transport,
            sleep=self.waits.append,
            uniform=lambda: 0.5,
        )

    def async_client(self) -> AsyncForecastClient:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        return AsyncForecastClient(transport=self.transport, sleep=sleep, uniform=lambda: 0.5)


def answer(*models: BaseModel) -> httpx.Response:
    """One model as an object, or several as JSON lines."""
    lines = [model.model_dump_json(exclude_none=True) for model in models]
    return httpx.Response(200, content="\n".join(lines))


def answers(*models: BaseModel) -> httpx.Response:
    return httpx.Response(200, json=[model.model_dump(mode="json") for model in models])


def problem(name: str, status: int, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {"type": f"urn:problem:{name}", "title": name, "status": status, "detail": "because"}
    return httpx.Response(status, json=body, headers=headers)


UPDATE = GameScoreUpdate(
    game_id="g1", quarter=1, time_remaining="11:40", score_home=2, score_away=0
)
UPDATE_FIELDS = {"quarter": 1, "time_remaining": "11:40", "score_home": 2, "score_away": 0}
ROUTES: dict[str, tuple[tuple[Any, ...], httpx.Response, Any, str, Any]] = {
    # method: arguments, the answer on the wire, the typed answer, the request line, its body
    "predict": (
        (PATTERN, 0.1, False),
        answer(FORECAST),
        FORECAST,
        "POST /predict",
        {"pattern": PATTERN, "alpha": 0.1, "return_explanation": False},
    ),
    "predict_batch": (
        ([PredictRequest(pattern=PATTERN), {"pattern": [1]}],),
        answers(FORECAST, NO_SUCH_GAME),
        [FORECAST, NO_SUCH_GAME],
        "POST /predict/batch",
        [{"pattern": PATTERN, "alpha": 0.05, "return_explanation": True}, {"pattern": [1]}],
    ),
    "register_game": (
        ("g1", "DAL", "DEN", "2026-01-14T20:00:00+00:00", 3.5),
        answer(GAME),
        GAME,
        "POST /games",
        {
            "game_id": "g1",
            "home_team": "DAL",
            "away_team": "DEN",
            "start_time": "2026-01-14T20:00:00Z",
            "expected_margin": 3.5,
            "league": "nba",
        },
    ),
    "post_score": (
        ("g1", 1, "11:40", 2, 0),
        answer(SCORE),
        SCORE,
        "POST /games/g1/scores",
        UPDATE_FIELDS,
    ),
    "post_scores": (
        ([UPDATE, {"game_id": "g1", "quarter": 0, "score_home": float("nan")}],),
        answers(ITEM, ListItemResult(status=404, problem=NO_SUCH_GAME)),
        [ITEM, ListItemResult(status=404, problem=NO_SUCH_GAME)],
        "POST /scores",
        [{"game_id": "g1", **UPDATE_FIELDS}, {"game_id": "g1", "quarter": 0, "score_home": None}],
    ),
    "end_game": (("a:1",), answer(END), END, "POST /games/a%3A1/end", None),
    "games": ((5,), answers(GAME), [GAME], "GET /games?limit=5", None),
    "game": (("g1",), answer(GAME), GAME, "GET /games/g1", None),
    "prediction": (("g1",), answer(PREDICTION), PREDICTION, "GET /games/g1/prediction", None),
    "course": (("g1",), answer(COURSE), COURSE, "GET /games/g1/course", None),
    "similar_games": (
        ("g1", 5),
        answer(SIMILAR),
        SIMILAR,
        "GET /games/g1/similar?limit=5",
        None,
    ),
    "past_game": (
        ("0021.1",),
        answer(PAST_GAME),
        PAST_GAME,
        "GET /library/0021%2E1",
        None,
    ),
    "predictions": ((3, 20), answer(LOG), LOG, "GET /predictions?since=3&limit=20", None),
    "predictions_jsonl": (
        (),
        answer(PREDICTION, PREDICTION),
        [PREDICTION, PREDICTION],
        "GET /predictions.jsonl",
        None,
    ),
    "predictions_parquet": (
        (),
        httpx.Response(200, content=b"PAR1"),
        b"PAR1",
        "GET /predictions.parquet",
        None,
    ),
    "accuracy": ((), answer(ACCURACY), ACCURACY, "GET /accuracy", None),
    "accuracy_days": (
        (date(2026, 1, 1), date(2026, 1, 14), 5),
        answer(ACCURACY_DAYS),
        ACCURACY_DAYS,
        "GET /accuracy/days?since=2026-01-01&until=2026-01-14&limit=5",
        None,
    ),
    "health": ((), answer(Health()), Health(), "GET /health", None),
    "ready": ((), answer(READY), READY, "GET /ready", None),
    "models": ((), answer(MODELS), MODELS, "GET /models", None),
}


def sent(request: httpx.Request) -> tuple[str, Any]:
    line = f"{request.method} {request.url.raw_path.decode()}"
    return line, json.loads(request.content) if request.content else None


@pytest.mark.parametrize("name", ROUTES)
def test_a_method_sends_its_route_and_types_the_answer(name: str) -> None:
    arguments, response, typed, line, body = ROUTES[name]
    wire = Wire([response])
    assert getattr(wire.client(), name)(*arguments) == typed
    assert [sent(request) for request in wire.requests] == [(line, body)]


@pytest.mark.parametrize("name", ROUTES)
def test_the_async_client_does_the_same(name: str) -> None:
    arguments, response, typed, line, body = ROUTES[name]
    wire = Wire([response])

    async def call() -> object:
        async with wire.async_client() as client:
            return await getattr(client, name)(*arguments)

    assert asyncio.run(call()) == typed
    assert [sent(request) for request in wire.requests] == [(line, body)]


def test_every_route_has_a_documented_method_in_both_clients() -> None:
    for name in [*ROUTES, "iter_predictions"]:
        sync, awaited = getattr(ForecastClient, name), getattr(AsyncForecastClient, name)
        assert list(inspect.signature(sync).parameters) == list(
            inspect.signature(awaited).parameters
        )
        assert sync.__doc__
        assert awaited.__doc__
    assert inspect.signature(ForecastClient.game).return_annotation is GameView


# --- long lists and pages -------------------------------------------------------------------


def _echo(request: httpx.Request) -> httpx.Response:
    items = [ITEM.model_dump(mode="json") for _ in json.loads(request.content)]
    return httpx.Response(200, json=items)


def test_a_long_list_goes_in_requests_of_500() -> None:
    sizes = []

    def count(request: httpx.Request) -> httpx.Response:
        sizes.append(len(json.loads(request.content)))
        return _echo(request)

    with ForecastClient(transport=httpx.MockTransport(count)) as client:
        assert len(client.post_scores([UPDATE] * 1001)) == 1001
        assert client.post_scores([]) == []
    assert sizes == [500, 500, 1]


def test_a_list_answer_of_another_length_is_an_error() -> None:
    wire = Wire([answers(ITEM)])
    with pytest.raises(errors.AnswerError, match="expected 2 results, one for each item; got 1"):
        wire.client().post_scores([UPDATE, UPDATE])


def _pages() -> list[Outcome]:
    empty = PredictionLog(predictions=[], next_since=9)
    return [answer(LOG), answer(LOG.model_copy(update={"next_since": 9})), answer(empty)]


def test_the_log_is_read_page_by_page() -> None:
    wire = Wire(_pages())
    assert list(wire.client().iter_predictions(limit=1)) == [PREDICTION, PREDICTION]
    queries = [request.url.query.decode() for request in wire.requests]
    assert queries == ["since=0&limit=1", "since=7&limit=1", "since=9&limit=1"]


def test_the_log_is_read_page_by_page_async() -> None:
    wire = Wire(_pages())

    async def read() -> list[Prediction]:
        async with wire.async_client() as client:
            return [prediction async for prediction in client.iter_predictions()]

    assert asyncio.run(read()) == [PREDICTION, PREDICTION]


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("invalid_request", 422, errors.InvalidRequestError),
        ("malformed_body", 400, errors.InvalidRequestError),
        ("insufficient_pattern", 404, errors.InsufficientPatternError),
        ("prediction_not_made", 404, errors.PredictionNotMadeError),
        ("unknown_game", 404, errors.UnknownGameError),
        ("not_found", 404, errors.NotFoundError),
        ("conflict", 409, errors.ConflictError),
        ("payload_too_large", 413, errors.TooLargeError),
        ("list_too_long", 413, errors.TooLargeError),
        ("unavailable", 503, errors.OverloadedError),
        ("timeout", 504, errors.ServiceFailedError),
        ("internal", 500, errors.ServiceFailedError),
        ("of_a_newer_service", 403, errors.NotAllowedError),
        ("of_a_newer_service", 429, errors.OverloadedError),
        ("of_a_newer_service", 418, errors.ProblemError),
        ("of_a_newer_service", 599, errors.ServiceFailedError),
    ],
)
def test_each_problem_has_its_error(
    name: str, status: int, kind: type[errors.ProblemError]
) -> None:
    client = Wire([problem(name, status)]).client(retry=Retry(attempts=1))
    with pytest.raises(errors.ProblemError, match=r"GET /games: \d+ .*because") as raised:
        client.games()
    assert type(raised.value) is kind
    assert raised.value.problem.type == f"urn:problem:{name}"
    assert raised.value.status == status


def test_an_error_that_is_no_problem_document_still_has_a_problem() -> None:
    wire = Wire([httpx.Response(404, text="<h1>nothing here</h1>")])
    with pytest.raises(errors.NotFoundError) as raised:
        wire.client().game("g1")
    assert raised.value.problem.type == "about:blank"
    assert raised.value.problem.detail == "<h1>nothing here</h1>"


@pytest.mark.parametrize("content", ["", "no json", '{"game_id": "g1"}', "[]"])
def test_an_answer_outside_the_contract_is_an_answer_error(content: str) -> None:
    with pytest.raises(errors.AnswerError, match="GET /games/g1"):
        Wire([httpx.Response(200, text=content)]).client().game("g1")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("refused"), errors.UnreachableError),
        (httpx.ReadError("reset"), errors.UnreachableError),
        (httpx.RemoteProtocolError("disconnected"), errors.UnreachableError),
        (httpx.ConnectTimeout("too slow"), errors.AnswerTimeoutError),
        (httpx.ReadTimeout("too slow"), errors.AnswerTimeoutError),
        (httpx.DecodingError("bad gzip"), errors.AnswerError),
    ],
)
def test_no_answer_has_its_error(failure: Exception, kind: type[errors.ClientError]) -> None:
    with pytest.raises(errors.ClientError, match="GET /games") as raised:
        Wire([failure]).client(retry=Retry(attempts=1)).games()
    assert type(raised.value) is kind
    assert raised.value.__cause__ is failure


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.predict([]), "pattern: .*at least 1 item.*"),
        (lambda client: client.predict([0.0] * 24), "pattern: expected 1 to 23 margins"),
        (
            lambda client: client.predict(PATTERN, last_score="home"),
            "seconds_since_score: expected last_score and seconds_since_score together",
        ),
        (lambda client: client.predict(PATTERN, alpha=1), "alpha: .*less than 1; got 1"),
        (lambda client: client.predict([*PATTERN[:17], float("inf")]), "pattern.17: .*; got inf"),
        (lambda client: client.register_game("", "DAL", "DEN"), "game_id: .*; got ''"),
        (lambda client: client.post_score("g1", 0, "11:40", 2, 0), "quarter: expected 1 to 4"),
        (lambda client: client.post_scores([{"score_home": object()}]), "JSON can hold"),
    ],
)
def test_a_wrong_argument_is_refused_before_it_is_sent(
    call: Callable[[ForecastClient], object], said: str
) -> None:
    wire = Wire([])
    with pytest.raises(errors.InvalidRequestError, match=said) as raised:
        call(wire.client())
    assert raised.value.problem.type == "urn:problem:invalid_request"
    assert wire.requests == []


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "", "ftp://127.0.0.1", "http://", "http://a:x"])
def test_a_wrong_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="base_url: expected an address like http://127"):
        ForecastClient(url)


def test_a_path_prefix_of_the_address_is_kept() -> None:
    wire = Wire([answers()])
    wire.client(base_url="http://127.0.0.1:8000/nba/").games()
    assert wire.requests[0].url.path == "/nba/games"


@pytest.mark.parametrize(
    ("game_id", "path"), [("..", "/games/%2E%2E"), ("a/b?c#d", "/games/a%2Fb%3Fc%23d")]
)
def test_a_game_id_stays_one_part_of_the_path(game_id: str, path: str) -> None:
    wire = Wire([answer(GAME)])
    wire.client().game(game_id)
    assert wire.requests[0].url.raw_path.decode() == path


# --- repeating ------------------------------------------------------------------------------


def test_what_may_succeed_later_is_repeated_with_growing_waits() -> None:
    wire = Wire(
        [httpx.ConnectError("refused"), problem("internal", 500), httpx.Response(502), answers()]
    )
    assert wire.client().games() == []
    assert wire.waits == [0.125, 0.25, 0.5]  # half of 0.25, 0.5 and 1 second


def test_the_async_client_repeats_too() -> None:
    wire = Wire([httpx.ReadTimeout("slow"), problem("unavailable", 503), answers()])

    async def call() -> list[GameView]:
        async with wire.async_client() as client:
            return await client.games()

    assert asyncio.run(call()) == []
    assert wire.waits == [0.125, 0.25]


def test_no_wait_is_longer_than_the_longest() -> None:
    retry = Retry(attempts=9, first_wait_seconds=1.0, longest_wait_seconds=3.0)
    assert [retry.wait_seconds(n, None, 1.0) for n in (1, 2, 3, 4, 10_000)] == [1, 2, 3, 3, 3]
    assert [retry.wait_seconds(n, 0.0, 1.0) for n in (1, 2, 3)] == [1, 2, 3]


def test_the_last_attempt_raises_what_it_got() -> None:
    wire = Wire([*[problem("unavailable", 503)] * 3, problem("internal", 500)])
    with pytest.raises(errors.ServiceFailedError):
        wire.client().games()
    assert len(wire.requests) == 4
    assert len(wire.waits) == 3


def test_a_score_update_is_safe_to_repeat() -> None:
    wire = Wire([httpx.ReadTimeout("the answer is lost"), answer(SCORE)])
    assert wire.client().post_score("g1", 1, "11:40", 2, 0) == SCORE
    assert [sent(request) for request in wire.requests] == [
        ("POST /games/g1/scores", UPDATE_FIELDS)
    ] * 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
def test_a_refusal_is_not_repeated(status: int) -> None:
    wire = Wire([problem("whatever", status)])
    with pytest.raises(errors.ProblemError):
        wire.client().games()
    assert wire.waits == []


@pytest.mark.parametrize("probe", ["health", "ready"])
def test_a_probe_tells_the_moment(probe: str) -> None:
    wire = Wire([problem("unavailable", 503)])
    with pytest.raises(errors.OverloadedError):
        getattr(wire.client(), probe)()
    assert wire.waits == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "2"},
        {
            "Retry-After": "Wed, 14 Jan 2026 20:00:02 GMT",
            "Date": "Wed, 14 Jan 2026 20:00:00 GMT",
        },
    ],
)
def test_retry_after_is_honoured(headers: dict[str, str]) -> None:
    wire = Wire([problem("busy", 429, headers), answers()])
    wire.client().games()
    assert wire.waits == [2.125]  # and the jitter, half of 0.25 seconds


@pytest.mark.parametrize("text", ["soon", "-3", "Wed, 14 Jan 2026 20:00:02 GMT", ""])
def test_a_retry_after_that_says_nothing_is_left_aside(text: str) -> None:
    wire = Wire([problem("busy", 503, {"Retry-After": text}), answers()])
    wire.client().games()
    assert wire.waits == [0.125]


def test_a_retry_after_beyond_patience_is_raised() -> None:
    wire = Wire([problem("busy", 503, {"Retry-After": "60"})])
    with pytest.raises(errors.OverloadedError) as raised:
        wire.client().games()
    assert raised.value.retry_after_seconds == 60
    assert wire.waits == []


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"first_wait_seconds": 11.0}, {"first_wait_seconds": -1.0}]
)
def test_a_wrong_retry_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Retry(**wrong)


# --- the key --------------------------------------------------------------------------------


def test_the_key_travels_as_a_header_and_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire = Wire([answers(), problem("not_allowed", 403)])
    client = wire.client(api_key="s3cret")
    client.games()
    with pytest.raises(errors.NotAllowedError) as raised:
        client.games()
    assert wire.requests[0].headers["Authorization"] == "Bearer s3cret"
    shown = [repr(client), str(vars(client)), repr(raised.value), str(wire.requests[0].url)]
    shown += [repr(wire.requests[0].headers), caplog.text]
    assert not [text for text in shown if "s3cret" in text]


def test_the_key_of_the_environment_is_sent_unless_another_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HALFTIME_API_KEY", "of-the-environment")
    wire = Wire([answers(), answers()])
    wire.client().games()
    wire.client(api_key="given").games()
    sent = [request.headers["Authorization"] for request in wire.requests]
    assert sent == ["Bearer of-the-environment", "Bearer given"]


def test_no_key_is_sent_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFTIME_API_KEY", "")
    wire = Wire([answers()])
    wire.client().games()
    assert "Authorization" not in wire.requests[0].headers


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "clé"])
def test_a_key_that_no_header_holds_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match=r"^api_key: expected printable ASCII characters"):
        ForecastClient(api_key=key)


def test_a_password_in_the_address_is_not_shown() -> None:
    assert "hidden" not in repr(ForecastClient("http://me:hidden@127.0.0.1:8000"))


# --- the older name -------------------------------------------------------------------------


@pytest.fixture
def older() -> Iterator[tuple[NBAForecastClient, Wire]]:
    wire = Wire([answer(FORECAST), answer(Health())])
    with NBAForecastClient(transport=wire.transport) as client:
        yield client, wire


def test_what_is_asked_for_beyond_the_defaults_is_sent_and_nothing_else() -> None:
    wire = Wire([answer(FORECAST), answer(GAME)])
    client = wire.client()
    client.predict(
        [1.0] * 40,
        horizon="final",
        day="2024-01-05",
        playoffs=True,
        last_score="away",
        seconds_since_score=3.5,
        lines=[-2.5, 4],
    )
    client.register_game("g1", "DAL", "DEN", playoffs=True)
    asked, registered = (sent(request)[1] for request in wire.requests)
    assert asked == {
        "horizon": "final",
        "pattern": [1.0] * 40,
        "alpha": 0.05,
        "return_explanation": True,
        "date": "2024-01-05",
        "playoffs": True,
        "last_score": "away",
        "seconds_since_score": 3.5,
        "lines": [-2.5, 4.0],
    }
    assert registered == {
        "game_id": "g1",
        "home_team": "DAL",
        "away_team": "DEN",
        "playoffs": True,
        "league": "nba",
    }


def test_the_older_client_answers_dictionaries(older: tuple[NBAForecastClient, Wire]) -> None:
    client, wire = older
    forecast = client.predict(PATTERN, alpha=0.2, return_explanation=False)
    assert forecast["point_forecast"] == 5.5
    assert Forecast.model_validate(forecast) == FORECAST
    assert client.health_check() == {"status": "ok"}
    assert sent(wire.requests[0]) == (
        "POST /predict",
        {"pattern": PATTERN, "alpha": 0.2, "return_explanation": False},
    )


@pytest.mark.parametrize(
    "module",
    [
        "serve_app.client",
        "serve_app.scraper_integration.live_prediction_service",
        "serve_app.scraper_integration",
    ],
)
def test_the_client_loads_neither_ray_nor_the_models(module: str) -> None:
    program = (
        f"import sys, {module}; "
        "print(sorted({'ray', 'torch', 'numpy', 'faiss', 'sklearn', 'fastapi'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
