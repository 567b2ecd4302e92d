"""Hostile watchers around those that listen: what is told has to reach every listener in order."""

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import websockets

from serve_app.fuzz.frames import handshake, random_frame
from serve_app.process.environment import LOOPBACK

LIVE_PATH = "/ws/live"
SMALL_BUFFER = 4_096
LISTEN_SECONDS = 60.0


@dataclass(slots=True)
class Siege:
    """What listeners got while others misbehaved."""

    listeners: int = 0
    hostile: int = 0
    silent: int = 0
    messages: int = 0
    complaints: list[str] = field(default_factory=list)


async def besiege(
    port: int,
    headers: Mapping[str, str],
    *,
    seed: int,
    listeners: int = 5,
    hostile: int = 200,
    silent: int = 10,
    games: int = 20,
) -> Siege:
    """Play games for listeners among hostile watchers and silent ones, who never read.

    Every listener has to get each score of each game once, in the order of their numbers. How
    much of it the sockets of the silent ones swallow is the kernel's choice.
    """
    done = Siege(listeners, hostile, silent=silent)
    url = f"ws://{LOOPBACK}:{port}{LIVE_PATH}"
    ids = [f"siege-{seed}-{number}" for number in range(games)]
    async with (
        httpx.AsyncClient(
            base_url=f"http://{LOOPBACK}:{port}", headers=headers, timeout=60, trust_env=False
        ) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        for game_id in ids:
            game = {"game_id": game_id, "home_team": "BOS", "away_team": "LAL"}
            (await http.post("/games", json=game)).raise_for_status()
        listening = [
            asyncio.create_task(
                _listen(
                    await stack.enter_async_context(
                        websockets.connect(url, additional_headers=headers, max_size=None)
                    ),
                    ids,
                )
            )
            for _ in range(listeners)
        ]
        mute = [await _connected(port, headers) for _ in range(silent)]
        attacking = asyncio.create_task(_attack(port, headers, Random(seed), hostile))  # noqa: S311
        for minute in range(1, 49):
            updates = [_update(game_id, minute) for game_id in ids]
            (await http.post("/scores", json=updates)).raise_for_status()
        for game_id in ids:
            (await http.post(f"/games/{game_id}/end")).raise_for_status()
        await attacking
        for got in await asyncio.gather(*listening, return_exceptions=True):
            wrong = got if isinstance(got, BaseException) else _complaint(got, ids)
            if wrong is None and not isinstance(got, BaseException):
                done.messages += len(got)
            else:
                done.complaints.append(f"a listener: {wrong!r}")
        for _, writer in mute:
            writer.transport.abort()
    return done


def _update(game_id: str, minute: int) -> dict[str, Any]:
    quarter = -(-minute // 12)
    left = f"{quarter * 12 - minute}:00"
    return {
        **{"game_id": game_id, "quarter": quarter, "time_remaining": left, "sequence": minute},
        **{"score_home": 2 * minute, "score_away": 2 * minute - 1},
    }


async def _listen(socket_: Any, ids: Sequence[str]) -> list[dict[str, Any]]:  # noqa: ANN401
    """All messages until every game has ended."""
    got: list[dict[str, Any]] = []
    running = set(ids)
    async with asyncio.timeout(LISTEN_SECONDS):
        while running:
            message = json.loads(await socket_.recv())
            if message["type"] != "heartbeat":
                got.append(message)
            if message["type"] == "ended":
                running.discard(message["game_id"])
    return got


def _complaint(got: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> str | None:
    numbers = [message["seq"] for message in got]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        return "expected numbers that grow; they did not"
    for game_id in ids:
        told = [m for m in got if m.get("game_id") == game_id and m["type"] == "score"]
        if len(told) != 48:
            return f"expected 48 scores of {game_id}; got {len(told)}"
    return None


async def _connected(
    port: int, headers: Mapping[str, str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (LOOPBACK, port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1_024)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(handshake(LOOPBACK, LIVE_PATH, lines))
    await reader.readline()
    return reader, writer


async def _attack(port: int, headers: Mapping[str, str], random: Random, count: int) -> None:
    for _ in range(count):
        with contextlib.suppress(OSError):
            _, writer = await _connected(port, headers)
            for _ in range(random.randrange(5)):
                writer.write(random_frame(random))
                await asyncio.sleep(random.choice((0, 0, 0.005)))
            if random.random() < 0.5:
                writer.close()
            else:
                writer.transport.abort()
