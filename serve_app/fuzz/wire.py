"""What HTTP itself forbids, sent over a bare socket: wrong lengths, broken chunks, torn requests.

Whoever reads HTTP first answers these, a proxy before the service: no answer is a 5xx, and where
the request cannot be told from the next the connection ends.
"""

import contextlib
import re
import socket

HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = '{"pattern": [1, 2]}'
LENGTH = f"Content-Length: {len(BODY)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

REQUESTS: dict[str, str] = {
    "a length that is negative": f"{HEAD}Content-Length: -1\r\n\r\n{BODY}",
    "a length that is no number": f"{HEAD}Content-Length: x\r\n\r\n{BODY}",
    "a length with 5,000 digits": f"{HEAD}Content-Length: {'9' * 5_000}\r\n\r\n{BODY}",
    "a length beyond any limit": f"{HEAD}Content-Length: {10**18}\r\n\r\n{BODY}",
    "two lengths": f"{HEAD}{LENGTH}Content-Length: 3\r\n\r\n{BODY}",
    "a length that is too short": f"{HEAD}Content-Length: 5\r\n\r\n{BODY}",
    "a length that is too long": f"{HEAD}Content-Length: 500\r\n\r\n{BODY}",
    "a length beside chunks": f"{HEAD}{LENGTH}{CHUNKED}\r\n0\r\n\r\n",
    "a chunk without its size": f"{HEAD}{CHUNKED}\r\nxyz\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk of a huge size": f"{HEAD}{CHUNKED}\r\n{'f' * 40}\r\n{BODY}",
    "chunks that end in the middle": f"{HEAD}{CHUNKED}\r\n40\r\n{BODY}",
    "another coding of transfer": f"{HEAD}Transfer-Encoding: gzip\r\n\r\n{BODY}",
    "no host": f"POST /predict HTTP/1.1\r\n{LENGTH}\r\n{BODY}",
    "a header without a colon": f"{HEAD}broken\r\n\r\n",
    "a header of 100 kB": f"{HEAD}X-Long: {'x' * 100_000}\r\n\r\n",
    "a header with a NUL": f"{HEAD}X-Nul: \0\r\n\r\n",
    "a thousand headers": HEAD + "X-Many: 1\r\n" * 1_000 + "\r\n",
    "a path of 100 kB": f"POST /{'x' * 100_000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path of a broken escape": "GET /games/%zz%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an unknown version": "POST /predict HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "half a request line": "POST /pred",
}
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def answers(port: int, request: str, seconds: float = 2.0) -> list[int]:
    """The statuses of what comes back for a request that ends there, in order; none is usual."""
    received = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection,
        contextlib.suppress(OSError),  # closed or silent: both are fine
    ):
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            received += part
    return [int(status) for status in STATUS.findall(received)]
