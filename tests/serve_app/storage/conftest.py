"""Stores with games in them, and all that is in a store."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from serve_app.access.keys import new_key
from serve_app.schemas import EXAMPLE_URL, GameRegistration, WebhookChange, WebhookRegistration
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.backup import TABLES
from serve_app.storage.store import Store
from serve_app.webhooks.intake import Intake
from serve_app.webhooks.registry import Registry
from tests.serve_app.conftest import forecast, updates

Contents = dict[str, list[Any]]
NOW = 1_704_500_000.25
LATER = 4e9  # seconds since the epoch: all that has ended has done so before
NewStore = Callable[[str], Store]


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    """Makes an empty store of a kind: sqlite or postgresql."""
    made: list[Store] = []

    def make(kind: str) -> Store:
        url = None
        if kind == "postgresql":
            url = request.getfixturevalue("postgresql").new_database()
        made.append(Store.at(tmp_path / f"store-{len(made)}", url))
        return made[-1]

    yield make
    for store in made:
        store.close()


def contents(store: Store) -> Contents:
    """Every row of every table that a backup has."""
    with store.database.reading() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in TABLES
        }


def registered(game_id: str) -> GameRegistration:
    return GameRegistration(
        game_id=game_id,
        home_team="BOS",
        away_team="LAL",
        start_time=datetime(2024, 1, 6, 0, 30, tzinfo=UTC),
        expected_margin=2.5,
    )


def play(shard: GameShard, game_id: str, until: int = 2880) -> None:
    """Play a game with its prediction."""
    shard.register(registered(game_id))
    course = updates(until, game_id=game_id)
    due = [item.due for item in shard.apply(course[:40]) if isinstance(item, Applied)][-1]
    assert due is not None
    shard.forecasts.record(due, forecast(7.0))
    shard.apply(course[40:])


def shard_on(store: Store) -> GameShard:
    """A shard with nothing in memory, always at one moment."""
    return GameShard(store, now=lambda: NOW)


def night(store: Store) -> GameShard:
    """Two games that are over, one under way, a key, what one game taught, what a webhook hears."""
    shard = shard_on(store)
    wanted = {"url": EXAMPLE_URL, "events": ["prediction", "outcome", "ended"]}
    registry = Registry(store, lambda: NOW)
    hook = registry.register(WebhookRegistration.model_validate(wanted))
    for game_id in ("g1", "g2"):
        play(shard, game_id)
        shard.end(game_id)
    intake = Intake(store)
    while intake.take():
        pass
    registry.change(hook.id, WebhookChange(enabled=False))
    play(shard, "live", until=1200)
    ApiKeys(store.database).add(new_key("scraper", ["ingest"], now=NOW).record)
    (one, _) = store.lessons.unlearned_games("m")
    store.lessons.add("m", one.game_id, one.date, '{"Δ": 0.1}')
    return shard
