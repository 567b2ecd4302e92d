"""The clients' iterator over the live feed: what is lost on the way is made good."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypedDict, Unpack

import httpx
import pytest

from serve_app.client import AsyncForecastClient, ForecastClient
from serve_app.client.errors import AnswerError, NotAllowedError
from serve_app.schemas import AnyMessage
from serve_app.system.system_state import SystemState

TIME = "2024-01-05T00:00:00Z"


def event(kind: str, seq: int, **fields: object) -> bytes:
    data = json.dumps({"seq": seq, "type": kind, "time": TIME, **fields})
    return f"id: {seq}\nevent: {kind}\ndata: {data}\n\n".encode()


def ended(seq: int) -> bytes:
    return event("ended", seq, game_id="g1", predicted=1.0, actual=2.0, error=1.0)


def snapshot(seq: int) -> bytes:
    return event("snapshot", seq, games=[])


class Asked(TypedDict, total=False):
    since: int
    games: list[str]
    types: list[str]


Connection = list[bytes | httpx.HTTPError] | httpx.Response | httpx.HTTPError


class Feed:
    """Plays one connection after another; notes what each asked for and each pause."""

    def __init__(self, *connections: Connection) -> None:
        self._connections = iter(connections)
        self.asked: list[str] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.query.decode())
        connection = next(self._connections)
        if isinstance(connection, httpx.HTTPError):
            raise connection
        if isinstance(connection, httpx.Response):
            return connection
        return httpx.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Stream(connection)
        )

    def watch(self, most: int, **asked: Unpack[Asked]) -> list[AnyMessage]:
        """The first messages of the blocking client."""
        with ForecastClient(
            transport=httpx.MockTransport(self), sleep=self.pauses.append, uniform=lambda: 0.5
        ) as client:
            told = client.watch(**asked)
            return [next(told) for _ in range(most)]

    def watch_async(self, most: int, **asked: Unpack[Asked]) -> list[AnyMessage]:
        """The first messages of the awaiting client."""

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        async def run() -> list[AnyMessage]:
            async with AsyncForecastClient(
                transport=httpx.MockTransport(self), sleep=sleep, uniform=lambda: 0.5
            ) as client:
                told = client.watch(**asked)
                return [await anext(told) for _ in range(most)]

        return asyncio.run(run())


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, parts: list[bytes | httpx.HTTPError]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, httpx.HTTPError):
                raise part
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


@pytest.fixture(params=["blocking", "awaiting"])
def watch(request: pytest.FixtureRequest) -> Callable[..., list[AnyMessage]]:
    blocking = request.param == "blocking"

    def run(feed: Feed, most: int, **asked: Unpack[Asked]) -> list[AnyMessage]:
        return (feed.watch if blocking else feed.watch_async)(most, **asked)

    return run


def test_it_goes_on_from_the_last_message_whatever_breaks(watch: Callable[..., list[AnyMessage]]):
    feed = Feed(
        [snapshot(4), ended(5), httpx.ReadError("cut")],
        httpx.ConnectError("away"),
        httpx.Response(503, json={"type": "urn:problem:unavailable", "status": 503, "title": "t"}),
        httpx.Response(404, text="a proxy that knows no service yet"),
        [event("resumed", 5), ended(6), event("heartbeat", 9)],
        [event("resumed", 9), event("of_tomorrow", 10, game_id="g"), ended(11)],
    )
    told = watch(feed, 4)
    assert [(message.type, message.seq) for message in told] == [
        ("snapshot", 4),
        ("ended", 5),
        ("ended", 6),
        ("ended", 11),
    ]
    assert feed.asked == ["", "since=5", "since=5", "since=5", "since=5", "since=9"]
    assert feed.pauses == [0.125, 0.25, 0.5, 1.0, 0.125]


def test_a_service_that_only_begins_is_not_hurried(watch: Callable[..., list[AnyMessage]]):
    away = httpx.Response(503, headers={"Retry-After": "86400"}, text="")
    feed = Feed([snapshot(4)], [event("resumed", 4)], away, [event("resumed", 4), ended(5)])
    watch(feed, 2)
    assert feed.pauses == [0.125, 0.25, 10.125]


def test_it_asks_for_what_it_is_told_to(watch: Callable[..., list[AnyMessage]]):
    feed = Feed([event("resumed", 3), ended(4)])
    watch(feed, 1, since=3, games=["a b", "c"], types=["ended"])
    assert feed.asked == ["since=3&game=a+b&game=c&type=ended"]


def test_a_text_is_no_list_of_games(watch: Callable[..., list[AnyMessage]]):
    with pytest.raises(TypeError, match=r"games: expected a list of texts; got the text 'g1'"):
        watch(Feed([snapshot(4)]), 1, games="g1")


def test_an_outage_is_told_once(
    watch: Callable[..., list[AnyMessage]], caplog: pytest.LogCaptureFixture
):
    away = httpx.ConnectError("away")
    watch(Feed(away, away, [snapshot(4), ended(5)], away, [ended(6)]), 3)
    assert [record.getMessage() for record in caplog.records if "away" in record.message] == [
        "GET /ws/events: ConnectError: away; trying on"
    ] * 2


def test_news_of_the_system_is_told(watch: Callable[..., list[AnyMessage]]):
    system = SystemState(2).system(5).model_dump(mode="json")
    feed = Feed([snapshot(3), event("system", 3, system=system)])
    told = watch(feed, 2, types=["system"])[1]
    assert feed.asked == ["type=system"]
    assert told.type == "system"
    assert told.system.games_monitored == 5


def test_history_that_is_gone_is_told(watch: Callable[..., list[AnyMessage]]):
    feed = Feed([event("snapshot", 9, games=[], unknown_since=3)])
    (message,) = watch(feed, 1, since=3)
    assert message.type == "snapshot"
    assert message.unknown_since == 3


def test_what_no_waiting_mends_is_raised(watch: Callable[..., list[AnyMessage]]):
    problem = {"type": "urn:problem:unauthorized", "title": "t", "status": 401, "detail": "d"}
    with pytest.raises(NotAllowedError):
        watch(Feed(httpx.Response(401, json=problem)), 1)
    with pytest.raises(AnswerError, match="expected a stream of events"):
        watch(Feed(httpx.Response(200, text="hello")), 1)
    with pytest.raises(AnswerError, match="not the contract's"):
        watch(Feed([event("ended", 4, game_id="g1")]), 1)
