"""The AsyncAPI description of the live feed, made of the models that its messages follow."""

from importlib.metadata import version
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serve_app.live.subscription import MOST_GAMES, TYPES
from serve_app.live.watcher import HEARTBEAT_SECONDS
from serve_app.schemas import AnyMessage

SCHEMAS = "#/components/schemas/{model}"
MESSAGES: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(AnyMessage)[0])
}
QUERY = {
    "type": "object",
    "properties": {
        "since": {
            "type": "integer",
            "minimum": 0,
            "description": "The seq of the last message that the client has: it goes on from "
            "there, with neither a gap nor a repeat. Kept for a day at most; where it is not "
            "known, the snapshot says so in `unknown_since`.",
        },
        "game": {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MOST_GAMES,
            "description": "Only these games; repeat the parameter for each. A snapshot has those "
            "that there are, however old.",
        },
        "type": {
            "type": "array",
            "items": {"enum": sorted(TYPES)},
            "description": "Only these kinds of change; repeat the parameter for each. `system` "
            "is no change: it comes every few seconds, and only to who names it.",
        },
    },
}


def asyncapi() -> dict[str, Any]:
    """The description of both channels, AsyncAPI 3.0."""
    _, definitions = models_json_schema(
        [(model, "serialization") for model in MESSAGES.values()], ref_template=SCHEMAS
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Halftime forecaster: live feed",
            "version": version("halftime-forecaster"),
            "description": "An opening message (`snapshot`, or `resumed` where `since` is known), "
            "then each change in the order of the store, and a `heartbeat` where there was none "
            f"for {HEARTBEAT_SECONDS:g} s. Who names the type `system` hears every few seconds how "
            "the service is doing. A client that does not keep up is dropped and comes "
            "back with `since`.",
        },
        "channels": {
            "live": _channel(
                "/ws/live",
                "The messages as texts of a WebSocket; it is closed with 1012 where the service "
                "restarts or is updated, with 1013 where the client was too slow.",
                {"ws": {"method": "GET", "query": QUERY}},
            ),
            "events": _channel(
                "/ws/events",
                "The messages as server-sent events: `id` is the seq, `event` the type, `data` "
                "the message. `Last-Event-ID` is taken for `since`.",
                {},
            ),
        },
        "operations": {
            name: {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{kind}"} for kind in MESSAGES],
                "bindings": bindings,
            }
            for name, bindings in (
                ("live", {}),
                ("events", {"http": {"method": "GET", "query": QUERY}}),
            )
        },
        "components": {
            "messages": {
                kind: {
                    "name": kind,
                    "summary": (model.__doc__ or "").splitlines()[0],
                    "contentType": "application/json",
                    "payload": {"$ref": SCHEMAS.format(model=model.__name__)},
                }
                for kind, model in MESSAGES.items()
            },
            "schemas": definitions["$defs"],
        },
    }


def _channel(address: str, description: str, bindings: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in MESSAGES},
        "bindings": bindings,
    }
