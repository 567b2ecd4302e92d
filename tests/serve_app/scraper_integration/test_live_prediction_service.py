"""What a scraper hands over arrives: in order, once, whatever the service does meanwhile."""

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from serve_app.client.calls import Moment
from serve_app.client.exchange import Retry
from serve_app.schemas import (
    EndResult,
    GameScoreUpdate,
    GameView,
    ListItemResult,
    Prediction,
    Problem,
    ScoreResult,
)
from serve_app.scraper_integration.live_prediction_service import LivePredictionService

NOW = datetime(2026, 1, 14, 20, 0, tzinfo=UTC)
DEADLINE = 30.0


def make_prediction(game_id: str) -> Prediction:
    return Prediction(
        point_forecast=5.5,
        interval_lower=-6.0,
        interval_upper=17.0,
        coverage_probability=0.95,
        model_version="nba-1",
        expected_margin=2.5,
        strength="ratings",
        game_id=game_id,
        pattern=[0.0] * 18,
        made_at=NOW,
        quarter=2,
        time_remaining="5:58",
        minutes_carried_forward=0,
    )


def make_problem(name: str, status: int) -> Problem:
    return Problem(type=f"urn:problem:{name}", title=name, status=status, detail="because")


def as_response(problem: Problem) -> tuple[int, str]:
    return problem.status, problem.model_dump_json()


@dataclass
class FakeService:
    """The contract in memory. `requests` logs them; `fault` may answer in the service's place.

    `lose_answer` makes it do the work and then fail, as a connection that breaks late does.
    """

    games: set[str] = field(default_factory=set)
    starts: list[str | None] = field(default_factory=list)
    updates: list[GameScoreUpdate] = field(default_factory=list)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    fault: Callable[[str, list[dict[str, Any]]], tuple[int, str] | None] = lambda *_: None
    item_fault: Callable[[dict[str, Any]], Problem | None] = lambda _: None
    lose_answer: bool = False

    def answer(self, method: str, path: str, content: bytes) -> tuple[int, str]:
        line = f"{method} {path}"
        body = json.loads(content) if content else {}
        self.requests.append(line)
        faulty = self.fault(line, body if isinstance(body, list) else [body])
        if faulty is not None:
            return faulty
        match line.split("/"):
            case ["POST ", "scores"]:
                items = [self._take(item).model_dump(mode="json") for item in body]
                return 200, json.dumps(items)
            case ["POST ", "games"]:
                self.games.add(body["game_id"])
                self.starts.append(body.get("start_time"))
                game = GameView(**body, state="registered")
                return 200, game.model_dump_json()
            case ["POST ", "games", game_id, "end"]:
                made = self.predictions.get(game_id)
                end = EndResult(
                    game_id=game_id, predicted=5.5, actual=7.0, error=1.5, prediction=made
                )
                return 200, end.model_dump_json()
            case ["GET ", "games", game_id, "prediction"] if game_id in self.predictions:
                return 200, self.predictions[game_id].model_dump_json()
            case _:
                return as_response(make_problem("prediction_not_made", 404))

    def _take(self, item: dict[str, Any]) -> ListItemResult:
        problem = self.item_fault(item)
        if item["game_id"] not in self.games:
            problem = make_problem("unknown_game", 404)
        if problem is not None:
            return ListItemResult(status=problem.status, problem=problem)
        update = GameScoreUpdate.model_validate(item)
        duplicate = update in self.updates
        made = None
        if not duplicate:
            self.updates.append(update)
            made = self._predict(update)
        result = ScoreResult(
            game_id=update.game_id,
            accepted=True,
            duplicate=duplicate,
            game_minute=1,
            margin=update.score_home - update.score_away,
            prediction=made,
        )
        return ListItemResult(status=200, result=result)

    def _predict(self, update: GameScoreUpdate) -> Prediction | None:
        crossed = update.clock().elapsed_seconds >= 18 * 60
        if not crossed or update.game_id in self.predictions:
            return None
        self.predictions[update.game_id] = make_prediction(update.game_id)
        return self.predictions[update.game_id]

    def handle(self, request: httpx.Request) -> httpx.Response:
        status, text = self.answer(request.method, request.url.path, request.content)
        if self.lose_answer:
            raise httpx.ReadError("the connection broke before the answer")
        return httpx.Response(status, text=text)

    @property
    def clocks(self) -> list[str]:
        return [update.time_remaining for update in self.updates]


@pytest.fixture
def fake() -> FakeService:
    return FakeService()


@pytest.fixture
def heard() -> list[Prediction]:
    return []


@pytest.fixture
def service(fake: FakeService, heard: list[Prediction]) -> Iterator[LivePredictionService]:
    """Without a thread: `flush` sends, so each test knows when."""
    with LivePredictionService(
        on_prediction=heard.append,
        background=False,
        batch_size=4,
        transport=httpx.MockTransport(fake.handle),
        now=lambda: NOW,
    ) as made:
        yield made


def play(service: LivePredictionService, *clocks: str, game_id: str = "g1") -> None:
    """Updates of the first quarter, one point more for home at each."""
    for points, clock in enumerate(clocks):
        service.process_score_update(game_id, 1, clock, points, 0)


# --- the plain way --------------------------------------------------------------------------


def test_a_game_is_registered_and_its_updates_arrive_in_order(
    service: LivePredictionService, fake: FakeService
) -> None:
    service.register_game("g1", "DAL", "DEN", start_time=NOW, expected_margin=2.0)
    play(service, "11:50", "11:40", "11:30", "11:20", "11:10")
    assert fake.requests == []
    assert service.flush()
    assert fake.requests == ["POST /games", "POST /scores", "POST /scores"]
    assert fake.clocks == ["11:50", "11:40", "11:30", "11:20", "11:10"]
    assert (service.delivery.queued, service.delivery.accepted) == (5, 5)


def test_the_prediction_is_called_back_once(
    service: LivePredictionService, fake: FakeService, heard: list[Prediction]
) -> None:
    also: list[Prediction] = []
    service.add_prediction_callback(also.append)
    service.register_game("g1", "DAL", "DEN")
    for clock in ("6:02", "5:58", "5:50"):
        service.process_score_update("g1", 2, clock, 31, 46)
    service.flush()
    service.process_score_update("g1", 2, "5:40", 31, 46)
    service.end_game("g1")
    assert heard == also == [make_prediction("g1")]
    assert service.get_prediction("g1") == make_prediction("g1")
    assert service.delivery.predictions == 1


def test_a_game_without_prediction_has_none(service: LivePredictionService) -> None:
    assert service.get_prediction("g1") is None


def test_the_prediction_that_was_heard_stays_at_hand(
    service: LivePredictionService, fake: FakeService
) -> None:
    service.register_game("g1", "DAL", "DEN")
    service.process_score_update("g1", 2, "5:58", 31, 46)
    service.flush()
    fake.fault = lambda *_: as_response(make_problem("unavailable", 503))
    assert service.get_prediction("g1") == make_prediction("g1")


def test_the_same_registration_again_is_not_sent(
    service: LivePredictionService, fake: FakeService
) -> None:
    for _ in range(3):
        service.register_game("g1", "DAL", "DEN")
        service.flush()
    assert fake.requests == ["POST /games"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (datetime(2026, 1, 14, 12, 0, tzinfo=UTC), datetime(2026, 1, 14, 12, 0, tzinfo=UTC)),
        ("2026-01-14T12:00:00-05:00", datetime(2026, 1, 14, 17, 0, tzinfo=UTC)),
        (1768392000, datetime(2026, 1, 14, 12, 0, tzinfo=UTC)),
        (None, NOW),
        ("7:00 pm ET", NOW),
    ],
)
def test_a_timestamp_may_come_in_many_forms(
    service: LivePredictionService, fake: FakeService, given: Moment, expected: datetime
) -> None:
    service.register_game("g1", "DAL", "DEN", start_time="7:00 pm ET")
    service.process_score_update("g1", 1, "11:50", 2, 0, given)
    service.flush()
    assert [update.timestamp for update in fake.updates] == [expected]


def test_a_start_without_a_zone_is_sent_as_it_stands(
    service: LivePredictionService, fake: FakeService
) -> None:
    for place, start in enumerate(("2026-01-14", "2026-01-14T19:30:00-05:00", None)):
        service.register_game(f"g{place}", "DAL", "DEN", start_time=start)
    service.flush()
    assert fake.starts == ["2026-01-14T00:00:00", "2026-01-14T19:30:00-05:00", None]


def test_digits_in_text_are_numbers(service: LivePredictionService, fake: FakeService) -> None:
    service.register_game("g1", "DAL", "DEN")
    given: Any = "1", "11:50", "12", "9"
    service.process_score_update("g1", *given)
    service.flush()
    (update,) = fake.updates
    assert (update.quarter, update.score_home, update.score_away) == (1, 12, 9)


# --- what cannot be sent --------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        ("g1", 1, "11:50", None, 0),
        ("g1", 1, "11:50", "two", 0),
        ("g1", 1, "11:50", True, 0),
        ("g1", 1, "11:50", -1, 0),
        ("g1", 1, "11:50", "9" * 9_999, 0),
        ("g1", 1, 11.5, 2, 0),
        ("g1", 1, "halftime", 2, 0),
        ("g1", 0, "11:50", 2, 0),
        (None, 1, "11:50", 2, 0),
        ("", 1, "11:50", 2, 0),
        ([], {}, object(), float("nan"), 0),
    ],
)
def test_garbage_is_counted_and_logged_not_raised(
    service: LivePredictionService, caplog: pytest.LogCaptureFixture, garbage: tuple[Any, ...]
) -> None:
    service.process_score_update(*garbage)
    assert service.delivery.unreadable == 1
    assert service.delivery.queued == 0
    assert "not sent, GameScoreUpdate: " in caplog.text


def test_a_registration_of_garbage_is_counted(service: LivePredictionService) -> None:
    nothing: Any = None
    service.register_game("g1", nothing, "DEN")
    service.end_game(nothing)
    assert service.get_prediction(nothing) is None
    assert service.delivery.unreadable == 2


def test_a_refused_update_is_dropped_and_the_rest_goes_on(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    fake.item_fault = lambda item: (
        make_problem("invalid_request", 422) if item["time_remaining"] == "11:40" else None
    )
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50", "11:40", "11:30")
    assert service.flush()
    assert fake.clocks == ["11:50", "11:30"]
    assert service.delivery.refused == 1
    assert "update dropped: game g1 Q1 11:40 1-0: 422 invalid_request: because" in caplog.text


@pytest.mark.parametrize("problem", [("invalid_request", 422), ("list_too_long", 413)])
def test_a_refused_list_goes_one_by_one(
    service: LivePredictionService, fake: FakeService, problem: tuple[str, int]
) -> None:
    fake.fault = lambda line, items: (
        as_response(make_problem(*problem))
        if line == "POST /scores" and any(item["time_remaining"] == "11:40" for item in items)
        else None
    )
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50", "11:40", "11:30", "11:20", "11:10")
    assert service.flush()
    assert fake.clocks == ["11:50", "11:30", "11:20", "11:10"]
    assert service.delivery.refused == 1


@pytest.mark.parametrize("whole_request", [True, False])
def test_an_update_that_breaks_the_service_is_given_up(
    service: LivePredictionService, fake: FakeService, whole_request: bool
) -> None:
    broken = make_problem("internal", 500)
    if whole_request:
        fake.fault = lambda line, items: (
            as_response(broken)
            if line == "POST /scores" and any(item["score_home"] == 1 for item in items)
            else None
        )
    else:
        fake.item_fault = lambda item: broken if item["score_home"] == 1 else None
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50", "11:40", "11:30")
    failed = 0
    while not service.flush():
        failed += 1
        assert failed < 20
    assert sorted(fake.clocks) == ["11:30", "11:50"]
    assert service.delivery.refused == 1


def test_a_refused_registration_does_not_hold_up_the_rest(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    fake.games = {"g1"}
    fake.fault = lambda line, _: (
        as_response(make_problem("conflict", 409)) if line == "POST /games" else None
    )
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50")
    assert service.flush()
    assert fake.clocks == ["11:50"]
    assert "game g1: the registration is given up: POST /games: 409 conflict" in caplog.text


def test_an_update_of_a_game_that_nobody_registered_is_dropped(
    service: LivePredictionService, fake: FakeService
) -> None:
    play(service, "11:50", game_id="g2")
    assert service.flush()
    assert service.delivery.refused == 1


# --- a service that fails -------------------------------------------------------------------


@pytest.mark.parametrize(
    "outage",
    [
        as_response(make_problem("unavailable", 503)),
        as_response(make_problem("too_many_requests", 429)),
        as_response(make_problem("timeout", 504)),
        as_response(make_problem("unauthorized", 401)),
        as_response(make_problem("forbidden", 403)),
        as_response(make_problem("misplaced_key", 400)),
        (404, "Path '/scores' not found."),  # a proxy whose application is not up yet
        (500, "Internal Server Error"),
        (200, "this is not the forecast service"),
    ],
)
def test_updates_wait_for_the_service(
    service: LivePredictionService, fake: FakeService, outage: tuple[int, str]
) -> None:
    fake.fault = lambda *_: outage
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50", "11:40")
    assert not service.flush()
    play(service, "11:30")
    assert not service.flush()
    fake.fault = lambda *_: None
    assert service.flush()
    assert fake.clocks == ["11:50", "11:40", "11:30"]
    assert service.delivery.refused == 0


@pytest.mark.parametrize(("name", "status"), [("unauthorized", 401), ("forbidden", 403)])
def test_a_refused_key_is_said_and_nothing_gets_lost(
    service: LivePredictionService,
    fake: FakeService,
    caplog: pytest.LogCaptureFixture,
    name: str,
    status: int,
) -> None:
    fake.fault = lambda *_: as_response(make_problem(name, status))
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50")
    assert not service.flush()
    assert "the service refuses the API key; nothing is lost" in caplog.text
    assert f"{status} {name}: because" in caplog.text
    fake.fault = lambda *_: None
    assert service.flush()
    assert fake.clocks == ["11:50"]


def test_an_item_the_service_has_no_room_for_is_sent_again(
    service: LivePredictionService, fake: FakeService
) -> None:
    fake.item_fault = lambda item: (
        make_problem("unavailable", 503) if item["game_id"] == "g2" else None
    )
    service.register_game("g1", "DAL", "DEN")
    service.register_game("g2", "BOS", "NYK")
    play(service, "11:50", game_id="g2")
    play(service, "11:45", game_id="g1")
    assert not service.flush()
    assert fake.clocks == ["11:45"]
    fake.item_fault = lambda _: None
    assert service.flush()
    assert fake.clocks == ["11:45", "11:50"]


def test_a_service_that_lost_its_games_gets_them_again(
    service: LivePredictionService, fake: FakeService
) -> None:
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50")
    service.flush()
    fake.games.clear()
    play(service, "11:40", "11:30")
    assert service.flush()
    assert fake.clocks == ["11:50", "11:40", "11:30"]
    assert fake.games == {"g1"}
    assert service.delivery.refused == 0


def test_a_service_that_forgets_again_and_again_is_not_asked_forever(
    service: LivePredictionService, fake: FakeService
) -> None:
    fake.item_fault = lambda _: make_problem("unknown_game", 404)
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50")
    assert service.flush()
    assert service.delivery.refused == 1
    assert fake.requests.count("POST /games") == 5


def test_a_prediction_whose_answer_was_lost_is_asked_for(
    service: LivePredictionService, fake: FakeService, heard: list[Prediction]
) -> None:
    service.register_game("g1", "DAL", "DEN")
    service.flush()
    service.process_score_update("g1", 2, "5:58", 31, 46)
    fake.lose_answer = True
    assert not service.flush()
    assert heard == []
    fake.lose_answer = False
    assert service.flush()
    assert heard == [make_prediction("g1")]
    assert len(fake.updates) == 1


def test_a_full_queue_keeps_the_oldest_of_each_minute(
    fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    with LivePredictionService(
        background=False, queue_bound=4, transport=httpx.MockTransport(fake.handle)
    ) as service:
        service.register_game("g1", "DAL", "DEN")
        play(service, "11:50", "11:40", "11:30", "11:20", "10:50", "9:50", "8:50")
        assert service.flush()
        assert fake.clocks == ["11:50", "10:50", "9:50", "8:50"]
        assert service.delivery.thinned == 3
    assert "the queue of 4 updates is full, given up: game g1 Q1 11:30" in caplog.text


def test_a_callback_that_raises_stops_nothing(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(prediction: Prediction) -> None:
        raise ZeroDivisionError(prediction.game_id)

    after: list[Prediction] = []
    service.add_prediction_callback(fail)
    service.add_prediction_callback(after.append)
    service.register_game("g1", "DAL", "DEN")
    service.process_score_update("g1", 2, "5:58", 31, 46)
    service.process_score_update("g1", 2, "5:50", 31, 46)
    assert service.flush()
    assert len(after) == 1
    assert len(fake.updates) == 2
    assert "game g1: a prediction callback failed" in caplog.text


# --- the end --------------------------------------------------------------------------------


def test_the_end_goes_out_after_the_updates_and_is_logged(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service.register_game("g1", "DAL", "DEN")
    play(service, "0:10", "0:05", "0:04", "0:03", "0:02", "0:01")
    service.end_game("g1")
    assert fake.requests == ["POST /games", "POST /scores", "POST /scores", "POST /games/g1/end"]
    assert "game g1 ended: predicted +5.5, actual +7.0, error +1.5" in caplog.text


def test_an_end_waits_for_the_service_too(
    service: LivePredictionService, fake: FakeService
) -> None:
    fake.fault = lambda *_: as_response(make_problem("unavailable", 503))
    service.end_game("g1")
    fake.fault = lambda *_: None
    assert service.flush()
    assert fake.requests[-1] == "POST /games/g1/end"


def test_closing_sends_what_waits_and_refuses_what_comes_after(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.register_game("g1", "DAL", "DEN")
    play(service, "11:50")
    service.close()
    assert fake.clocks == ["11:50"]
    play(service, "11:40")
    service.end_game("g1")
    assert service.get_prediction("g1") is None
    service.close()
    assert service.delivery.queued == 1
    assert "came after close" in caplog.text


def test_closing_without_the_service_says_what_is_left(
    service: LivePredictionService, fake: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    fake.fault = lambda *_: as_response(make_problem("unavailable", 503))
    play(service, "11:50", "11:40")
    service.close()
    assert "closed with 2 things not sent" in caplog.text


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"batch_size": 501}, {"queue_bound": 0}, {"api_url": "nowhere"}]
)
def test_wrong_settings_are_refused_when_it_is_wired(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        LivePredictionService(**wrong)


# --- the thread, over a real socket ---------------------------------------------------------


class Server:
    """The fake service on a port of its own, which it can leave and take again."""

    def __init__(self, fake: FakeService) -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            self.port = reserved.getsockname()[1]
        self._fake = fake
        self._running: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        fake = self._fake

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                status, text = fake.answer(self.command, self.path, self.rfile.read(length))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._running = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._running.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._running is not None:
            self._running.shutdown()
            self._running.server_close()
            self._running = None


@pytest.fixture
def server(fake: FakeService) -> Iterator[Server]:
    made = Server(fake)
    yield made
    made.stop()


@pytest.fixture
def threaded(server: Server, heard: list[Prediction]) -> Iterator[LivePredictionService]:
    patience = Retry(first_wait_seconds=0.01, longest_wait_seconds=0.05)
    with LivePredictionService(
        server.url, on_prediction=heard.append, backoff=patience, linger_seconds=0.0, batch_size=7
    ) as made:
        yield made


def test_updates_handed_over_while_the_service_is_down_arrive_when_it_is_up(
    threaded: LivePredictionService,
    server: Server,
    fake: FakeService,
    heard: list[Prediction],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    handed = [
        f"{minute}:{second:02d}" for minute in range(11, 8, -1) for second in range(59, 39, -1)
    ]
    threaded.register_game("g1", "DAL", "DEN")
    play(threaded, *handed[:20])
    assert not threaded.flush(timeout=0.1)
    server.start()
    assert threaded.flush(DEADLINE)
    play(threaded, *handed[20:40])
    assert threaded.flush(DEADLINE)
    server.stop()
    play(threaded, *handed[40:])
    threaded.process_score_update("g1", 2, "5:58", 60, 46)
    assert not threaded.flush(timeout=0.1)
    server.start()
    assert threaded.flush(DEADLINE)
    assert fake.clocks == [*handed, "5:58"]
    assert heard == [make_prediction("g1")]
    assert "the service is away (attempt 1 failed)" in caplog.text
    assert "the service is back after" in caplog.text


def test_a_scraper_without_flush_or_close_is_served(
    threaded: LivePredictionService, server: Server
) -> None:
    server.start()
    made = threading.Event()
    threaded.add_prediction_callback(lambda _: made.set())
    threaded.register_game("g1", "DAL", "DEN")
    threaded.process_score_update("g1", 2, "5:58", 31, 46)
    assert made.wait(DEADLINE)


def test_a_callback_may_call_the_service(
    threaded: LivePredictionService, server: Server, fake: FakeService
) -> None:
    answers: list[object] = []

    def ask_back(prediction: Prediction) -> None:
        answers.append(threaded.flush(DEADLINE))
        answers.append(threaded.get_prediction(prediction.game_id))
        threaded.end_game(prediction.game_id, DEADLINE)

    threaded.add_prediction_callback(ask_back)
    server.start()
    threaded.register_game("g1", "DAL", "DEN")
    threaded.process_score_update("g1", 2, "5:58", 31, 46)
    assert threaded.flush(DEADLINE)
    assert answers == [False, make_prediction("g1")]
    assert fake.requests[-1] == "POST /games/g1/end"


def test_many_threads_may_hand_over(
    threaded: LivePredictionService, server: Server, fake: FakeService
) -> None:
    server.start()
    clocks = [f"11:{second:02d}" for second in range(59, 39, -1)]

    def scrape(game_id: str) -> None:
        threaded.register_game(game_id, "DAL", "DEN")
        play(threaded, *clocks, game_id=game_id)

    scrapers = [threading.Thread(target=scrape, args=(f"g{number}",)) for number in range(5)]
    for scraper in scrapers:
        scraper.start()
    for scraper in scrapers:
        scraper.join()
    assert threaded.flush(DEADLINE)
    for number in range(5):
        arrived = [one.time_remaining for one in fake.updates if one.game_id == f"g{number}"]
        assert arrived == clocks


def test_a_program_that_ends_sends_what_waits(server: Server, fake: FakeService) -> None:
    server.start()
    program = (
        "from serve_app.scraper_integration import LivePredictionService as Service; "
        f"service = Service({server.url!r}, linger_seconds=60); "
        "service.register_game('g1', 'DAL', 'DEN'); "
        "service.process_score_update('g1', 1, '11:50', 2, 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=4 * DEADLINE)
    assert fake.clocks == ["11:50"]
