"""The feed as server-sent events, over real connections."""

import asyncio
import contextlib
import json
import socket

import httpx
import websockets
from httpx_sse import ServerSentEvent, aconnect_sse

from tests.serve_app.live.served_feed import ScriptedHub, broadcast, served, until


def text(seq: int) -> str:
    return json.dumps({"seq": seq, "type": "score", "time": "2024-01-05T00:00:00Z"})


async def test_a_socket_and_a_stream_of_events_tell_the_same():
    hub = ScriptedHub()
    async with (
        asyncio.timeout(20),
        served(broadcast(hub)) as feed,
        httpx.AsyncClient(base_url=feed.http_url) as http,
        websockets.connect(feed.url) as live,
        aconnect_sse(http, "GET", "/events") as source,
    ):
        assert source.response.headers["cache-control"] == "no-store"
        for seq in (1, 2, 3):
            hub.say(text(seq))
        said = [await live.recv() for _ in range(4)]
        events: list[ServerSentEvent] = []
        async for event in source.aiter_sse():
            events.append(event)
            if len(events) == 4:
                break
    assert [event.data for event in events][1:] == said[1:]
    assert [(event.event, event.id) for event in events] == [
        ("snapshot", "0"),
        ("score", "1"),
        ("score", "2"),
        ("score", "3"),
    ]
    assert events[0].retry == 1_000


async def test_an_event_source_goes_on_from_the_last_event():
    hub = ScriptedHub()
    async with (
        asyncio.timeout(20),
        served(broadcast(hub)) as feed,
        httpx.AsyncClient(base_url=feed.http_url) as http,
    ):
        for seq in (1, 2, 3):
            hub.say(text(seq))
        since: str | None = None
        told: list[int] = []
        while len(told) < 4:  # one event a connection
            headers = {} if since is None else {"last-event-id": since}
            async with aconnect_sse(http, "GET", "/events?since=0", headers=headers) as source:
                async for event in source.aiter_sse():
                    if event.event != "resumed":
                        since = event.id
                        told.append(int(event.id))
                        break
            if told[-1] == 3:
                hub.say(text(4))
        assert told == [1, 2, 3, 4]


async def test_the_stream_ends_with_the_service():
    async with (
        asyncio.timeout(20),
        served(broadcast(ScriptedHub())) as feed,
        httpx.AsyncClient(base_url=feed.http_url) as http,
        aconnect_sse(http, "GET", "/events") as source,
    ):
        kinds: list[str] = []
        with contextlib.suppress(httpx.RemoteProtocolError):  # uvicorn cuts what does not end
            async for event in source.aiter_sse():
                kinds.append(event.event)
                feed.stop()
        assert kinds == ["snapshot"]


async def test_what_is_wrong_is_a_problem():
    watchers = broadcast(ScriptedHub(), max_watchers=1)
    async with (
        served(watchers) as feed,
        httpx.AsyncClient(base_url=feed.http_url) as http,
    ):
        wrong = await http.get("/events?since=soon")
        assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:problem:invalid_request")
        absent = await http.get("/nothing")
        assert (absent.status_code, absent.json()["type"]) == (404, "urn:problem:not_found")
        assert (await http.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"
        async with websockets.connect(feed.url) as only:
            await only.recv()
            full = await http.get("/events")
            assert (full.status_code, full.json()["type"]) == (503, "urn:problem:overloaded")
        await until(lambda: watchers.watching == 0)


async def test_a_reader_that_reads_nothing_is_dropped():
    hub = ScriptedHub()
    watchers = broadcast(hub, 10_000)
    async with served(watchers, 0.3) as feed:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", feed.port))
        _, writer = await asyncio.open_connection(sock=raw, limit=1_024)
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until(lambda: watchers.watching == 1)
        async with asyncio.timeout(15):
            while watchers.watching:
                hub.say("x" * 20_000)
                await asyncio.sleep(0.002)
        await until(lambda: feed.connections == 0)
        writer.transport.abort()
