"""HTTP requests that cost the client next to nothing, to measure what the service costs."""

import asyncio
import json
from http.client import HTTPConnection
from typing import Any

from serve_app.client.exchange import auth_headers
from serve_app.process.environment import LOOPBACK

WAIT_SECONDS = 60.0


class PlainHttp:
    """One connection that is kept, for one request at a time.

    Requests are made in a thread, so that watchers in the event loop hear what comes meanwhile.
    """

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(LOOPBACK, port, timeout=WAIT_SECONDS)
        self._headers = {"Content-Type": "application/json", **auth_headers(None)}

    async def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON it is
        """What is answered; raises RuntimeError where that is not 200."""
        return await asyncio.to_thread(self._ask, "GET", path)

    async def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - whatever JSON it is
        """What is answered; raises RuntimeError where that is not 200."""
        return await asyncio.to_thread(self._ask, "POST", path, body)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise RuntimeError(
                f"{method} {path}: expected 200; got {answer.status}: {told[:200]!r}"
            )
        return json.loads(told)
