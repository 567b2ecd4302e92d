"""The AsyncAPI description against the messages that the journal and the broadcast really give."""

import json
from typing import Any

import jsonschema
import pytest

from models.errors import ForecastError
from serve_app.live.asyncapi import MESSAGES, asyncapi
from serve_app.live.message import Message, change, heartbeat, resumed, snapshot, system_news
from serve_app.schemas import LiveMessage
from serve_app.shards.game_shard import GameShard
from serve_app.shards.running_pace import Wait
from serve_app.shards.shard_messages import Applied, MadeForecast
from serve_app.storage.store import Store
from serve_app.system.system_state import SystemState
from tests.serve_app.conftest import forecast, registration, update, updates


def resolve(document: Any, reference: str) -> Any:  # noqa: ANN401 - JSON
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


@pytest.fixture
def messages(store: Store) -> list[Message]:
    """A game with one of each kind of change, and what the feed says of its own."""
    shard = GameShard(store)
    shard.register(registration())
    late = update(300, 9)
    for batch in (updates(1080)[:10], updates(1080)[11:], [late], updates(1500, start=1110)):
        for item in shard.apply(batch):
            assert isinstance(item, Applied)
            if item.due is not None:
                shard.forecasts.record(item.due, forecast())
            if item.running is not None and not isinstance(item.running, Wait):
                shard.forecasts.record_running([MadeForecast(item.running, forecast(), forecast())])
    shard.end("g1")
    views = [view.model_dump_json() for view in shard.games(["g1"])]
    told = [change(row) for row in store.journal.after(0, 1_000)]
    news = system_news(3, SystemState(2).system(1).model_dump_json())
    return [*told, snapshot(3, views), snapshot(3, views, 99), resumed(3), heartbeat(3), news]


def test_every_message_is_as_described(messages: list[Message]):
    described = asyncapi()
    assert {message.type for message in messages} == set(MESSAGES)
    for message in messages:
        payload = resolve(described, f"#/components/messages/{message.type}/payload/$ref")
        schema = {**resolve(described, payload), "components": described["components"]}
        content = json.loads(message.text)
        jsonschema.validate(content, schema, jsonschema.Draft202012Validator)
        assert set(content) <= set(schema["properties"]), "said, but not described"
        assert set(schema["required"]) <= set(content)


def test_it_describes_every_type_of_the_contract_on_both_channels():
    described = asyncapi()
    types = set(MESSAGES)
    assert types == set(LiveMessage.model_fields["type"].annotation.__args__)  # type: ignore[union-attr]
    for name, address in (("live", "/ws/live"), ("events", "/ws/events")):
        channel = described["channels"][name]
        assert channel["address"] == address
        assert set(channel["messages"]) == types
        operation = described["operations"][name]
        assert {resolve(described, one["$ref"])["$ref"] for one in operation["messages"]} == {
            f"#/components/messages/{kind}" for kind in types
        }


def test_no_reference_leads_nowhere():
    described = asyncapi()

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                try:
                    resolve(described, part["$ref"])
                except KeyError as error:
                    raise ForecastError(f"{part['$ref']} leads nowhere") from error
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(described)
