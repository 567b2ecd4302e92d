"""The gate before the real routes: keys, scopes, hosts, origins, rates and headers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route, WebSocketRoute

from serve_app.access.access import Access
from serve_app.access.gate import Gate
from serve_app.access.guarded_api import GuardedAPI
from serve_app.access.hosts import Hosts
from serve_app.access.key_ring import HOLD_SECONDS
from serve_app.access.scopes import ROUTE_SCOPES
from serve_app.access.security_headers import ALWAYS
from serve_app.api.ingress import build_api
from serve_app.live.live_feed import build_feed
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import EXAMPLE_URL, Problem
from serve_app.settings import Settings
from serve_app.storage.store import Store
from tests.serve_app.access.conftest import Clock, MemoryStore, access_of
from tests.serve_app.live.served_feed import ScriptedHub, broadcast

GAME = {"game_id": "g1", "home_team": "BOS", "away_team": "LAL"}
SCORE = {"quarter": 1, "time_remaining": "11:00", "score_home": 2, "score_away": 0}
PATTERN = {"pattern": [0.0] * 18}
# One request of each scope.
REQUESTS: dict[str, list[tuple[str, str, Any]]] = {
    "read": [("GET", "/games", None), ("POST", "/predict", PATTERN), ("POST", "/tickets", None)],
    "ingest": [
        ("POST", "/games", GAME),
        ("POST", "/games/g1/scores", SCORE),
        ("POST", "/scores", [{"game_id": "g1", **SCORE}]),
        ("POST", "/games/g1/end", None),
    ],
    "admin": [
        ("GET", "/webhooks", None),
        ("POST", "/webhooks", {"url": EXAMPLE_URL, "events": ["score"]}),
    ],
}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def problem(answer: httpx.Response, status: int, name: str) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content)
    assert found.type == f"urn:problem:{name}"
    return found


@pytest.fixture
def feed(access: Access) -> FastAPI:
    return build_feed(broadcast(ScriptedHub()), access)


@pytest.fixture
async def other(
    service: LiveService, store: Store, keys: MemoryStore, clock: Clock
) -> AsyncIterator[httpx.AsyncClient]:
    """A service that few may ask often, under a name of its own, beside a friendly site."""
    hosts = Hosts.of(["scores.example.com"], ["https://board.example.org"])
    access = access_of(keys, clock, hosts=hosts, keyless=False, per_key=3, keyless_rate=2)
    settings = Settings()
    api = build_api(settings, service, store, ServedModel(settings, store), access)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://scores.example.com"
    ) as client:
        yield client


class TestTable:
    def test_every_route_has_its_scope_and_no_scope_is_without_its_route(
        self, service: LiveService, store: Store, access: Access, feed: FastAPI
    ):
        settings = Settings()
        api = build_api(settings, service, store, ServedModel(settings, store), access)
        routes = set()
        for route in (*api.routes, *feed.routes):
            if isinstance(route, WebSocketRoute):
                routes.add(("WEBSOCKET", route.path))
            else:
                assert isinstance(route, Route), route
                routes |= {(method, route.path) for method in set(route.methods or ()) - {"HEAD"}}
        assert routes == set(ROUTE_SCOPES)

    async def test_a_route_that_is_missing_in_the_table_needs_admin(
        self, keys: MemoryStore, clock: Clock, access: Access
    ):
        api = GuardedAPI(access=access)

        @api.get("/forgotten")
        async def forgotten() -> str:
            return "told"

        reader, admin = keys.make("read", "ingest", now=clock()), keys.make("admin", now=clock())
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            found = problem(await http.get("/forgotten", headers=bearer(reader)), 403, "forbidden")
            assert "admin" in found.detail
            assert (await http.get("/forgotten", headers=bearer(admin))).json() == "told"

    async def test_the_description_says_what_each_route_needs(self, http: httpx.AsyncClient):
        schema = (await http.get("/openapi.json")).json()
        assert set(schema["components"]["securitySchemes"]) == {"bearer", "header"}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                scope = ROUTE_SCOPES[method.upper(), path]
                asked = operation.get("security")
                assert asked == (scope and [{"bearer": [scope]}, {"header": [scope]}])
                assert ("401" in operation["responses"]) is (scope is not None)


class TestKeys:
    async def test_without_any_key_the_service_is_open(self, http: httpx.AsyncClient):
        for requests in REQUESTS.values():
            for method, path, body in requests[:1]:
                assert (await http.request(method, path, json=body)).status_code == 200

    async def test_the_first_key_closes_it_for_good(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        assert (await http.get("/games")).status_code == 200
        key = keys.make("read", now=clock())
        clock.seconds += HOLD_SECONDS
        answer = await http.get("/games")
        assert "scripts/keys.py" in problem(answer, 401, "unauthorized").detail
        assert answer.headers["www-authenticate"] == "Bearer"
        keys.revoke(key, clock())
        clock.seconds += HOLD_SECONDS
        problem(await http.get("/games"), 401, "unauthorized")
        problem(await http.get("/games", headers=bearer(key)), 401, "unauthorized")

    async def test_where_keyless_is_off_nobody_gets_in_before_the_first_key(
        self, other: httpx.AsyncClient
    ):
        problem(await other.get("/games"), 401, "unauthorized")

    @pytest.mark.parametrize("scope", REQUESTS)
    async def test_each_scope_opens_its_routes_only(
        self, scope: str, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        key = keys.make(scope, now=clock())
        for needed, requests in REQUESTS.items():
            for method, path, body in requests:
                answer = await http.request(method, path, json=body, headers=bearer(key))
                if scope in (needed, "admin"):
                    assert answer.is_success, answer.text
                else:
                    assert problem(answer, 403, "forbidden").model_extra == {"scope": needed}

    async def test_admin_opens_all_by_either_header(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("admin", now=clock())
        for requests in REQUESTS.values():
            for method, path, body in requests:
                answer = await http.request(method, path, json=body, headers={"X-API-Key": key})
                assert answer.is_success, answer.text

    async def test_some_routes_stay_open(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        keys.make("read", now=clock())
        for path in ("/health", "/ready", "/", "/assets/link.js", "/docs", "/openapi.json"):
            assert (await http.get(path)).status_code == 200, path

    async def test_a_path_that_no_route_answers_tells_nothing_without_a_key(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("read", now=clock())
        for method, path in (("GET", "/nothing"), ("PUT", "/predict")):
            problem(await http.request(method, path), 401, "unauthorized")
        problem(await http.get("/nothing", headers=bearer(key)), 404, "not_found")
        problem(await http.put("/predict", headers=bearer(key)), 405, "method_not_allowed")

    @pytest.mark.parametrize(
        "path",
        ["/games/", "/GAMES", "/games%2F", "/./games", "/health/../games", "/games%00", "/games;x"],
    )
    async def test_no_spelling_of_a_path_goes_around_the_gate(
        self, path: str, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        keys.make("read", now=clock())
        problem(await http.get(path), 401, "unauthorized")

    async def test_a_refused_body_is_not_read(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        keys.make("read", now=clock())
        read = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal read
            for _ in range(5):
                read += 1
                yield b"x" * 1_000

        problem(await http.post("/scores", content=body()), 401, "unauthorized")
        assert read == 0

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/games", {**GAME, "state": "ended"}),
            ("/games/g1/scores", {**SCORE, "prediction": {}}),
            ("/predict", {**PATTERN, "model_version": "mine"}),
        ],
    )
    async def test_no_field_beyond_the_contract_is_taken(
        self, path: str, body: dict[str, Any], http: httpx.AsyncClient
    ):
        await http.post("/games", json=GAME)
        found = problem(await http.post(path, json=body), 422, "invalid_request")
        assert found.detail.startswith(list(body)[-1])

    async def test_a_key_in_the_url_is_refused_though_it_is_good(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("read", now=clock())
        for answer in (
            await http.get("/games", params={"api_key": key}),
            await http.get("/games", params={"api_key": key}, headers=bearer(key)),
            await http.get("/health", params={"since": key}),
            await http.get(f"/games/{key}", headers=bearer(key)),
            await http.get(f"/games/{key.replace('_', '%5F')}", headers=bearer(key)),
            await http.get(f"/nothing/{key}"),
        ):
            assert "revoke" in problem(answer, 400, "misplaced_key").detail
            assert key not in answer.text

    async def test_two_keys_that_differ_are_refused(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        one, two = keys.make("read", now=clock()), keys.make("read", now=clock())
        answer = await http.get("/games", headers={**bearer(one), "X-API-Key": two})
        problem(answer, 400, "misplaced_key")

    async def test_while_the_store_is_away_known_keys_work_and_others_wait(
        self, http: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        known = keys.make("read", now=clock())
        assert (await http.get("/games", headers=bearer(known))).status_code == 200
        unknown = keys.make("read", now=clock())
        keys.failing = True
        clock.seconds += HOLD_SECONDS
        assert (await http.get("/games", headers=bearer(known))).status_code == 200
        answer = await http.get("/games", headers=bearer(unknown))
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"

    async def test_no_log_line_holds_a_key(
        self,
        http: httpx.AsyncClient,
        keys: MemoryStore,
        clock: Clock,
        caplog: pytest.LogCaptureFixture,
    ):
        caplog.set_level(logging.DEBUG)
        key = keys.make("read", now=clock())
        for headers in (bearer(key), {"X-API-Key": key}, bearer(f"{key}x")):
            await http.get("/games", headers=headers)
            await http.get("/games/nothing", headers=headers)
            await http.post("/scores", headers=headers, content="{")
        keys.failing = True
        clock.seconds += HOLD_SECONDS
        await http.get("/games", headers=bearer(key))
        assert caplog.records
        assert key.partition("_")[2] not in caplog.text


class TestBrowsers:
    async def test_a_name_that_was_rebound_is_refused(self, http: httpx.AsyncClient):
        answer = await http.get("/games", headers={"Host": "rebound.example.net:8000"})
        problem(answer, 403, "forbidden_host")
        problem(await http.get("/", headers={"Host": "rebound.example.net"}), 403, "forbidden_host")

    async def test_a_page_of_another_site_changes_nothing(self, http: httpx.AsyncClient):
        evil = {"Origin": "https://evil.example.net"}
        problem(await http.post("/games", json=GAME, headers=evil), 403, "forbidden_origin")
        # As a form does it, without asking first.
        plain = {**evil, "Content-Type": "text/plain"}
        answer = await http.post("/games/g1/end", headers=plain)
        problem(answer, 403, "forbidden_origin")
        assert (await http.get("/games")).json() == []

    async def test_the_own_page_may(self, http: httpx.AsyncClient):
        own = {"Origin": "http://127.0.0.1:8000"}
        assert (await http.post("/games", json=GAME, headers=own)).status_code == 200

    async def test_an_allowed_site_may_with_a_key(
        self, other: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("read", now=clock())
        friend = {"Origin": "https://board.example.org", **bearer(key)}
        assert (await other.post("/tickets", headers=friend)).status_code == 200

    async def test_no_answer_lets_another_site_read_it(self, http: httpx.AsyncClient):
        origin = {"Origin": "https://evil.example.net"}
        preflight = {**origin, "Access-Control-Request-Method": "GET"}
        for answer in (
            await http.get("/games", headers=origin),
            await http.options("/games", headers=preflight),
        ):
            assert [name for name in answer.headers if name.startswith("access-control")] == []

    async def test_every_answer_has_the_security_headers(self, http: httpx.AsyncClient):
        answers = [
            await http.get("/games"),
            await http.get("/nothing"),
            await http.get("/", headers={"Host": "rebound.example.net"}),
            await http.get("/"),
            await http.get("/docs"),
            await http.post("/scores", content="{", headers={"content-type": "application/json"}),
        ]
        for answer in answers:
            assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answers[0].headers["cache-control"] == "no-store"
        assert answers[3].headers["cache-control"] == "no-cache"

    async def test_a_defect_has_them_too(self, access: Access):
        api = GuardedAPI(access=access)

        @api.get("/games")
        async def broken() -> None:
            raise RuntimeError

        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/games")
        assert answer.status_code == 500
        assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS

    async def test_the_documentation_loads_what_its_policy_names_and_checks_it(
        self, http: httpx.AsyncClient
    ):
        page = await http.get("/docs")
        policy = page.headers["content-security-policy"]
        for source in ("script-src https://", "style-src https://"):
            address = policy.partition(source)[2].split()[0]
            assert f'https://{address}" integrity="sha384-' in page.text
        assert "script-src 'self'" not in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]


class TestRates:
    async def test_a_key_over_its_rate_waits_and_others_do_not(
        self, other: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        one, two = keys.make("read", now=clock()), keys.make("read", now=clock())
        codes = [(await other.get("/games", headers=bearer(one))).status_code for _ in range(4)]
        assert codes == [200, 200, 200, 429]
        answer = await other.get("/games", headers=bearer(one))
        assert problem(answer, 429, "too_many_requests").model_extra == {"limit": 3}
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=1'
        assert answer.headers["ratelimit"] == '"requests";r=0;t=1'
        assert (await other.get("/games", headers=bearer(two))).status_code == 200
        clock.seconds += 1
        assert (await other.get("/games", headers=bearer(one))).status_code == 200

    async def test_guesses_are_slowed_down_and_take_nothing_from_a_good_key(
        self, other: httpx.AsyncClient, keys: MemoryStore, clock: Clock
    ):
        good = keys.make("read", now=clock())
        guess = good.partition("_")[0] + "_" + "x" * 43
        codes = [(await other.get("/games", headers=bearer(guess))).status_code for _ in range(4)]
        assert codes == [401, 401, 429, 429]
        assert (await other.get("/games", headers=bearer(good))).status_code == 200
        assert (await other.get("/ready")).status_code == 429
        assert (await other.get("/health")).status_code == 200


class AsgiClient:
    """A client that speaks ASGI to an application."""

    def __init__(self, app: FastAPI, scope: dict[str, object], headers: dict[str, str]) -> None:
        given = {"host": "127.0.0.1:8000", **headers}
        self.scope = {
            "root_path": "/ws",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            **scope,
        }
        self._kind = scope["type"]
        self._to_app: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._to_app.put_nowait(
            {"type": "websocket.connect"} if self._kind == "websocket" else {"type": "http.request"}
        )
        self._running = asyncio.ensure_future(
            app(self.scope, self._to_app.get, self._from_app.put)  # type: ignore[arg-type]
        )

    async def said(self) -> dict[str, object]:
        async with asyncio.timeout(10):
            return await self._from_app.get()

    async def over(self) -> None:
        async with asyncio.timeout(10):
            await self._running

    @property
    def is_over(self) -> bool:
        return self._running.done()

    async def leave(self) -> None:
        self._to_app.put_nowait({"type": f"{self._kind}.disconnect", "code": 1000})
        await self.over()


SOCKET: dict[str, object] = {
    "type": "websocket",
    "path": "/ws/live",
    "extensions": {"websocket.http.response": {}},
}


class Socket(AsgiClient):
    """A WebSocket client."""

    def __init__(self, app: FastAPI, *offered: str, **headers: str) -> None:
        super().__init__(app, {**SOCKET, "subprotocols": list(offered)}, headers)


class Events(AsgiClient):
    """A reader of the stream of events."""

    def __init__(self, app: FastAPI, **headers: str) -> None:
        super().__init__(app, {"type": "http", "method": "GET", "path": "/ws/events"}, headers)


@pytest.fixture
async def running(feed: FastAPI) -> AsyncIterator[FastAPI]:
    async with feed.router.lifespan_context(feed):
        yield feed


class TestWebSocket:
    async def test_without_any_key_everybody_watches(self, running: FastAPI):
        socket = Socket(running)
        assert (await socket.said())["type"] == "websocket.accept"
        assert "snapshot" in str((await socket.said())["text"])
        await socket.leave()

    async def test_a_program_sends_its_key_with_the_handshake(
        self, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        socket = Socket(running, authorization=f"Bearer {keys.make('read', now=clock())}")
        assert (await socket.said())["type"] == "websocket.accept"
        await socket.leave()

    @pytest.mark.parametrize(
        ("scope", "headers", "status"),
        [
            ("read", {}, 401),
            ("read", {"x-api-key": "guess"}, 401),
            ("ingest", {"x-api-key": "?"}, 403),
            ("read", {"x-api-key": "?", "origin": "https://evil.example.net"}, 403),
            ("read", {"x-api-key": "?", "host": "rebound.example.net"}, 403),
        ],
    )
    async def test_a_refused_handshake_is_answered_as_http(
        self, scope: str, headers: dict[str, str], status: int, running: FastAPI, keys: MemoryStore
    ):
        key = keys.make(scope, now=Clock()())
        given = {name: key if value == "?" else value for name, value in headers.items()}
        start = await Socket(running, **given).said()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        names = {name for name, _ in start["headers"]}  # type: ignore[attr-defined]
        assert b"x-content-type-options" in names

    async def test_a_guessed_ticket_is_refused(
        self, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        keys.make("read", now=clock())
        start = await Socket(running, "halftime.v1", "ticket.guess").said()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)

    async def test_a_page_of_another_site_hears_nothing_even_without_keys(self, running: FastAPI):
        start = await Socket(running, origin="https://evil.example.net").said()
        assert start["status"] == 403

    async def test_a_server_that_cannot_answer_so_closes(self, access: Access, feed: FastAPI):
        gate = Gate(feed, access=access, routes=feed.routes)
        said: list[object] = []

        async def send(message: object) -> None:
            said.append(message)

        async def receive() -> dict[str, object]:
            return {"type": "websocket.connect"}

        scope = {**Socket(feed).scope, "headers": [], "extensions": {}}
        await gate(scope, receive, send)
        assert said == [{"type": "websocket.close", "code": 1008}]

    async def test_an_application_that_takes_too_long_over_something_is_not_a_key_that_ended(
        self, access: Access, feed: FastAPI
    ):
        async def impatient(*_: object) -> None:
            raise TimeoutError("its own")

        gate = Gate(impatient, access=access, routes=feed.routes)
        with pytest.raises(TimeoutError, match="its own"):
            await gate(dict(Socket(feed).scope), asyncio.Queue[Any]().get, impatient)

    async def test_before_the_feed_is_deployed_a_browser_comes_again_with_its_ticket(
        self, api: FastAPI, http: httpx.AsyncClient, running: FastAPI, keys: MemoryStore
    ):
        told = (await http.post("/tickets", headers=bearer(keys.make("read", now=0.0)))).json()
        offered = ["halftime.v1", f"ticket.{told['ticket']}"]
        early = AsgiClient(api, {**SOCKET, "root_path": "", "subprotocols": offered}, {})
        assert (await early.said())["status"] == 503
        answer = await http.get("/ws/events", params={"since": 3})
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        socket = Socket(running, *offered)
        assert (await socket.said())["type"] == "websocket.accept"
        await socket.leave()

    async def test_a_ticket_opens_one_socket(
        self, http: httpx.AsyncClient, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("read", now=clock())
        told = (await http.post("/tickets", headers=bearer(key))).json()
        assert told["expires_in_seconds"] == 30
        offered = ["halftime.v1", f"ticket.{told['ticket']}"]
        socket = Socket(running, *offered)
        accepted = await socket.said()
        assert (accepted["type"], accepted["subprotocol"]) == ("websocket.accept", "halftime.v1")
        assert (await Socket(running, *offered).said())["status"] == 401
        await socket.leave()

    async def test_a_ticket_of_a_key_that_was_revoked_meanwhile_opens_nothing(
        self, http: httpx.AsyncClient, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("read", now=clock())
        told = (await http.post("/tickets", headers=bearer(key))).json()
        keys.revoke(key, clock())
        clock.seconds += HOLD_SECONDS
        start = await Socket(running, "halftime.v1", f"ticket.{told['ticket']}").said()
        assert start["status"] == 401

    async def test_a_socket_ends_with_its_key(
        self, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        gone, stays = (keys.make("read", now=clock()) for _ in range(2))
        sockets = [Socket(running, authorization=f"Bearer {key}") for key in (gone, stays)]
        for socket in sockets:
            assert (await socket.said())["type"] == "websocket.accept"
            assert "snapshot" in str((await socket.said())["text"])
        keys.revoke(gone, clock())
        clock.seconds += HOLD_SECONDS
        assert await sockets[0].said() == {"type": "websocket.close", "code": 1008}
        await sockets[1].leave()

    async def test_the_first_key_ends_the_sockets_that_had_none(
        self, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        socket = Socket(running)
        assert (await socket.said())["type"] == "websocket.accept"
        assert "snapshot" in str((await socket.said())["text"])
        keys.make("read", now=clock())
        clock.seconds += HOLD_SECONDS
        assert await socket.said() == {"type": "websocket.close", "code": 1008}


class TestEvents:
    """The stream of events is guarded as the WebSocket is."""

    async def test_it_needs_a_key_once_there_is_one(
        self, running: FastAPI, keys: MemoryStore, clock: Clock
    ):
        key = keys.make("ingest", now=clock())
        assert (await Events(running).said())["status"] == 401
        answer = await Events(running, authorization=f"Bearer {key}").said()
        assert answer["status"] == 403

    async def test_it_ends_with_its_key(self, running: FastAPI, keys: MemoryStore, clock: Clock):
        gone, stays = (keys.make("read", now=clock()) for _ in range(2))
        streams = [Events(running, authorization=f"Bearer {key}") for key in (gone, stays)]
        for stream in streams:
            assert (await stream.said())["status"] == 200
            assert (await stream.said())["body"] == b"retry: 1000\n"
            assert b"event: snapshot" in (await stream.said())["body"]  # type: ignore[operator]
        keys.revoke(gone, clock())
        clock.seconds += HOLD_SECONDS
        await streams[0].over()
        assert not streams[1].is_over
        await streams[1].leave()
