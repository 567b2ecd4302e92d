"""WebSocket frames as RFC 6455 has them, and as it does not."""

import base64
import struct
from random import Random

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
OPCODES = range(16)
MASK = b"\x5a\xa5\x3c\xc3"
KEY = base64.b64encode(b"sixteen bytes ok").decode()
SIZES = (0, 1, 10, 125, 126, 1_000, 1_001, 65_535, 65_536, 200_000)
CLOSE_CODES = (0, 999, 1000, 1001, 1002, 1005, 1006, 1009, 1015, 2999, 3000, 4999, 5000, 65_535)


def handshake(host: str, path: str, headers: str = "") -> bytes:
    """The request that opens a WebSocket; `headers` are further lines, each with its end."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    ).encode()


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """One frame; a client has to mask it and to leave the three reserved bits at 0."""
    first = (fin << 7) | (reserved << 4) | opcode
    mask = masked << 7
    if len(payload) < 126:
        head = struct.pack("!BB", first, mask | len(payload))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, mask | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, mask | 127, len(payload))
    if not masked:
        return head + payload
    repeated = MASK * (len(payload) // 4 + 1)
    hidden = bytes(a ^ b for a, b in zip(payload, repeated, strict=False))
    return head + MASK + hidden


def random_frame(random: Random) -> bytes:
    """A frame that a client may or may not send; sometimes only a part of one."""
    opcode = random.choice((TEXT, TEXT, BINARY, CLOSE, PING, PONG, random.choice(OPCODES)))
    payload = random.randbytes(random.choice(SIZES))
    if opcode == CLOSE:
        payload = struct.pack("!H", random.choice(CLOSE_CODES)) + payload[: random.choice((0, 9))]
    elif opcode == TEXT and random.random() < 0.7:
        payload = b"t" * len(payload)
    made = frame(
        opcode,
        payload,
        fin=random.random() < 0.9,
        masked=random.random() < 0.95,
        reserved=0 if random.random() < 0.95 else random.randrange(8),
    )
    return made if random.random() < 0.9 else made[: random.randrange(1, len(made) + 1)]
