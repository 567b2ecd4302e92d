"""The TCP connection below a request, which ASGI cannot end while its peer does not read."""

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from starlette.types import Scope

# Closing sends a reset and forgets what was not sent, instead of waiting for the peer to take it.
NO_LINGER = struct.pack("ii", 1, 0)
DESCRIPTORS = Path("/dev/fd")


def abort_connection(scope: Scope) -> bool:
    """End the TCP connection of a request at once, with all that waits to be sent on it.

    A server that is told to close first sends what it has buffered, and so waits for ever on a
    peer that never reads. Found by the two addresses of `scope`; returns whether there was one in
    this process: behind another process that holds the connection, or where a proxy's header has
    replaced the client's address, there is none, and the server's own closing has to do.
    """
    server, client = scope.get("server"), scope.get("client")
    if not server or not client:
        return False
    wanted = tuple(server), tuple(client)
    for connection in _connections():
        with connection:
            if _addresses(connection) != wanted:
                continue
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            return True
    return False


def _connections() -> Iterator[socket.socket]:
    """Second handles of this process's sockets; the first ones stay whose they are."""
    for entry in DESCRIPTORS.iterdir():
        with contextlib.suppress(OSError):
            copy = os.dup(int(entry.name))
            try:
                yield socket.socket(fileno=copy)
            except OSError:  # no socket
                os.close(copy)


def _addresses(connection: socket.socket) -> tuple[object, object] | None:
    try:
        here, there = connection.getsockname(), connection.getpeername()
    except OSError:  # it listens, or is closed
        return None
    return tuple(here[:2]), tuple(there[:2])
