"""Frames of a WebSocket that are made once and written to many watchers within one turn.

Over ASGI each watcher's message wakes a task, passes the layers above the server and is put into a
frame of its own: some 50 µs of a core each. What is the same for all is a frame once here, and a
watcher that waits for nothing gets it written at once.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import uvicorn.config
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

# The name of the extension in the scope of a connection (ASGI 3.0, "Extensions").
EXTENSION = "halftime.write_frame"
PROTOCOL = f"{__name__}:FrameProtocol"

# A header by which Ray Serve leaves it to the application to notice that a client has gone.
READS_ITSELF = (b"x-request-disconnect-disabled", b"?1")

# Writes a frame; False where it cannot be written now, and nothing of it was.
WriteFrame: TypeAlias = Callable[[bytes], bool]


@lru_cache(4)
def text_frame(text: str) -> bytes:
    """A whole text message as a server's frame."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which also offers the application to write whole frames.

    It compresses nothing: each watcher would keep a compressor and its buffers for as long as it is
    connected.
    """

    def __init__(self, config: Config, *connection: Any, **more: Any) -> None:  # noqa: ANN401 - uvicorn's
        config.ws_per_message_deflate = False
        super().__init__(config, *connection, **more)

    def handle_connect(self, event: Request) -> None:
        """Offer it in the scope; the application runs after this."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            offered: Any = {EXTENSION: self.write_frame}  # ASGI leaves the content open
            self.scope["extensions"] = {**self.scope["extensions"], **offered}
            # Serve would keep a task of its own that reads for the application, which reads itself.
            self.scope["headers"] = [*self.scope["headers"], READS_ITSELF]

    def start_keepalive(self) -> None:
        """The handshake is over: what it was made of would be kept as long as the connection."""
        super().start_keepalive()
        self.request.headers.clear()  # the parser keeps the request; its headers are 2 KiB
        del self.request, self.response

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame where the client has taken all that was sent before it."""
        transport = self.transport
        if (
            self.close_sent
            or self.disconnected
            or transport.is_closing()
            or transport.get_write_buffer_size()
        ):
            return False
        transport.write(frame)
        return True


def offer_frames() -> None:
    """Have every server that this process starts from now on offer the extension."""
    uvicorn.config.WS_PROTOCOLS["auto"] = PROTOCOL


def write_frame_of(scope: Scope) -> WriteFrame | None:
    """How to write frames to this connection; None where its server does not offer it."""
    write: WriteFrame | None = scope.get("extensions", {}).get(EXTENSION)
    return write
