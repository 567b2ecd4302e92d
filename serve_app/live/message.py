"""Messages of the live feed: what one is, and how it is made of a row of the journal."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from serve_app.storage.journal import JournalRow


class Message(NamedTuple):
    """One message: what tells whether a watcher wants it, and its JSON text.

    `seq` is that of the journal; `game_id` is empty where it is about no single game; `time` is
    when its change was written, in epoch seconds, 0 where it is none.
    """

    seq: int
    type: str
    game_id: str
    text: str
    time: float = 0.0


def change(row: JournalRow) -> Message:
    """A row of the journal as a message: `{seq, type, time, game_id, ...}`."""
    head = {
        "seq": row.seq,
        "type": row.type,
        "time": datetime.fromtimestamp(row.time, UTC).isoformat(),
        "game_id": row.game_id,
    }
    text = f"{json.dumps(head)[:-1]}, {row.payload[1:]}"
    return Message(row.seq, row.type, row.game_id, text, row.time)


def snapshot(seq: int, views: Iterable[str], unknown_since: int | None = None) -> Message:
    """Games as they stand, from their JSON texts: `{seq, type, time, games}`.

    `unknown_since` is what the watcher wanted to go on from, where that is no longer known.
    """
    head: dict[str, object] = {"seq": seq, "type": "snapshot", "time": _now()}
    if unknown_since is not None:
        head["unknown_since"] = unknown_since
    return Message(seq, "snapshot", "", f'{json.dumps(head)[:-1]}, "games": [{", ".join(views)}]}}')


def resumed(since: int) -> Message:
    """What a watcher that goes on hears first; every change after `since` follows."""
    return _bare("resumed", since)


def heartbeat(seq: int) -> Message:
    """Nothing has happened that the watcher wants; it may go on from `seq`."""
    return _bare("heartbeat", seq)


def system_news(seq: int, body: str) -> Message:
    """How the service is doing, from its JSON text: `{seq, type, time, system}`."""
    head = json.dumps({"seq": seq, "type": "system", "time": _now()})
    return Message(seq, "system", "", f'{head[:-1]}, "system": {body}}}')


def _bare(kind: str, seq: int) -> Message:
    return Message(seq, kind, "", json.dumps({"seq": seq, "type": kind, "time": _now()}))


def _now() -> str:
    return datetime.now(UTC).isoformat()
