"""A receiver of webhooks to try them with: verifies each event and prints it, a line each.

The secret stands in the environment variable HALFTIME_WEBHOOK_SECRET. What is genuine is answered
204, anything else 401, and a repeat is told from the first by its id.
"""

import argparse
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serve_app.webhooks.signature import SignatureError, signature, verify

SECRET_VARIABLE = "HALFTIME_WEBHOOK_SECRET"  # noqa: S105 - a name
LONGEST_BODY = 1_000_000
REMEMBERED = 10_000
SILENCE_SECONDS = 10.0


class Seen:
    """The ids that came of late."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_repeat(self, event_id: str) -> bool:
        """Whether this id came before; notes it."""
        is_repeat = event_id in self._ids
        self._ids[event_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)
        return is_repeat


class Receiver(ThreadingHTTPServer):
    """Listens for events signed by `secret`; `tell` hears of each."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], secret: str, tell: Callable[[str], object]
    ) -> None:
        super().__init__(address, Handler)
        self.secret = secret
        self.tell = tell
        self.seen = Seen()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Receiver
    timeout = SILENCE_SECONDS

    def do_POST(self) -> None:
        """Verify an event and print it."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= LONGEST_BODY):
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        try:
            event_id = verify(self.server.secret, dict(self.headers.items()), body)
            event = json.loads(body)
        except (SignatureError, json.JSONDecodeError) as error:
            self.server.tell(f"refused: {error}")
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        again = " (again)" if self.server.seen.is_repeat(event_id) else ""
        about = event["data"].get("game_id", "")
        self.server.tell(f"{event_id}{again} {event['type']} {about} {json.dumps(event['data'])}")
        self._answer(HTTPStatus.NO_CONTENT)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing beside the events."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when interrupted, 2 where there is no secret or no port to listen on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    given = parser.parse_args(arguments)
    secret = os.environ.get(SECRET_VARIABLE, "")
    try:
        signature(secret, "", 0, b"")
    except ValueError as error:
        print(f"webhook_receiver: {SECRET_VARIABLE}: {error}", file=sys.stderr)
        return 2
    try:
        server = Receiver((given.host, given.port), secret, lambda line: print(line, flush=True))
    except (OSError, OverflowError) as error:
        print(f"webhook_receiver: {given.host} port {given.port}: {error}", file=sys.stderr)
        return 2
    with server:
        print(f"listening on http://{given.host}:{server.server_port}", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
