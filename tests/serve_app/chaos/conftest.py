"""A chaos run in small: one game played to a shard over a real store, with a ledger beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from serve_app.chaos.audit import Audit, audit, read_store
from serve_app.chaos.kill_kind import KillKind
from serve_app.chaos.ledger import Ledger
from serve_app.replay.poll_stream import Update, clock_text
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied
from serve_app.shards.shard_messages import Update as ShardUpdate
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration

GAME = "g1"
MINUTES = 18  # up to the trigger
SHARD = KillKind(name="shard", titles=("ray::ShardActor",), weight=3, goal_seconds=2.0)
PROXY = KillKind(name="proxy", titles=("haproxy",), weight=1, together=True)


def sent(sequence: int, home: int | None = None) -> Update:
    """The update at the end of a game minute, home scoring 1 in each."""
    minute = sequence + 1
    quarter = 1 if minute <= 12 else 2
    remaining_ms = (quarter * 12 - minute) * 60_000
    points = minute if home is None else home
    return Update(minute, minute, GAME, quarter, remaining_ms, points, 0, sequence)


@dataclass
class Played:
    """What there is after the game: the ledger, the store, and the settings that name it."""

    ledger: Ledger
    store: Store
    settings: Settings

    def post(self, shard: GameShard, update: Update) -> Applied:
        """Send one update to the shard; its answer goes into the ledger."""
        self.ledger.sent([update])
        clock = clock_text(update.remaining_ms)
        taken = ShardUpdate(
            GAME,
            update.quarter,
            clock,
            update.score_home,
            update.score_away,
            sequence=update.sequence,
        )
        (applied,) = shard.apply([taken])
        assert isinstance(applied, Applied)
        self.ledger.answered(update, applied.result.model_dump(mode="json"))
        return applied

    def audit(self) -> Audit:
        """The audit of what is in the store now."""
        return audit(self.ledger, read_store(self.settings), [GAME])


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    """The game up to its trigger, predicted; updates were acknowledged a second apart."""
    settings = Settings(data_dir=tmp_path / "data")
    store = Store.at(settings.data_dir)
    seconds = count()
    game = Played(Ledger(lambda: float(next(seconds))), store, settings)
    shard = GameShard(store)
    shard.register(registration(GAME))
    for sequence in range(MINUTES):
        due = game.post(shard, sent(sequence)).due
    assert due is not None
    game.ledger.saw(shard.forecasts.record(due, forecast(4.0)), 20)
    yield game
    store.close()


class FakeClock:
    """Time that goes by only where somebody waits."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
