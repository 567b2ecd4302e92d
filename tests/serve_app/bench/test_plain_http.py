import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from serve_app.bench.plain_http import PlainHttp

CALLERS: list[tuple[str, int]] = []
OPEN = Event()


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent; `/wait` once it may, `/wrong` with 503."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/wait":
            OPEN.wait(60)
        self._answer(503 if self.path == "/wrong" else 200, {"path": self.path})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, {"sent": sent, "type": self.headers["Content-Type"]})

    def _answer(self, status: int, content: object) -> None:
        CALLERS.append(self.client_address)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def http() -> Iterator[PlainHttp]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        connection = PlainHttp(server.server_port)
        CALLERS.clear()
        OPEN.clear()
        yield connection
        connection.close()
        server.shutdown()
        serving.join()


async def test_one_connection_is_kept_for_all_requests(http: PlainHttp):
    assert await http.get("/x") == {"path": "/x"}
    assert await http.post("/scores", [{"a": 1}]) == {
        "sent": [{"a": 1}],
        "type": "application/json",
    }
    assert len(set(CALLERS)) == 1


async def test_what_was_not_answered_with_200_is_an_error_that_shows_it(http: PlainHttp):
    with pytest.raises(RuntimeError, match=r"GET /wrong: expected 200; got 503: .*wrong"):
        await http.get("/wrong")


async def test_others_go_on_while_an_answer_is_waited_for(http: PlainHttp):
    asked = asyncio.create_task(http.get("/wait"))
    await asyncio.to_thread(lambda: None)
    assert not asked.done()
    OPEN.set()
    assert await asyncio.wait_for(asked, 60) == {"path": "/wait"}
