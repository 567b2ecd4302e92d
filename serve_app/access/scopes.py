"""What a key may do, and the one table that says what each route needs."""

from collections.abc import Collection
from typing import Literal, get_args

Scope = Literal["read", "ingest", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# Method and path of every route, as declared; None is open to everybody. A route that is missing
# here needs `admin`, and a test names it.
ROUTE_SCOPES: dict[tuple[str, str], Scope | None] = {
    ("POST", "/predict"): "read",
    ("POST", "/predict/batch"): "read",
    ("POST", "/games"): "ingest",
    ("GET", "/games"): "read",
    ("GET", "/games/{game_id}"): "read",
    ("GET", "/games/{game_id}/prediction"): "read",
    ("GET", "/games/{game_id}/course"): "read",
    ("GET", "/games/{game_id}/similar"): "read",
    ("POST", "/games/{game_id}/scores"): "ingest",
    ("POST", "/games/{game_id}/end"): "ingest",
    ("POST", "/scores"): "ingest",
    ("GET", "/predictions"): "read",
    ("GET", "/predictions.jsonl"): "read",
    ("GET", "/library/{game_id}"): "read",
    ("GET", "/predictions.parquet"): "read",
    ("GET", "/accuracy"): "read",
    ("GET", "/accuracy/days"): "read",
    ("GET", "/models"): "read",
    ("GET", "/system"): "read",
    ("POST", "/tickets"): "read",
    ("POST", "/webhooks"): "admin",
    ("GET", "/webhooks"): "admin",
    ("GET", "/webhooks/{webhook_id}"): "admin",
    ("PATCH", "/webhooks/{webhook_id}"): "admin",
    ("DELETE", "/webhooks/{webhook_id}"): "admin",
    ("POST", "/webhooks/{webhook_id}/rotate"): "admin",
    ("POST", "/webhooks/{webhook_id}/test"): "admin",
    ("GET", "/webhooks/{webhook_id}/deliveries"): "admin",
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/resend"): "admin",
    ("WEBSOCKET", "/live"): "read",
    ("GET", "/events"): "read",
    ("GET", "/asyncapi.json"): None,
    ("GET", "/ws/{path:path}"): None,
    ("WEBSOCKET", "/ws/{path:path}"): None,
    ("GET", "/health"): None,
    ("GET", "/ready"): None,
    ("GET", "/"): None,
    ("GET", "/assets/{name}"): None,
    ("GET", "/docs"): None,
    ("GET", "/openapi.json"): None,
}

# Answered for as long as the client stays: to be ended where its key is.
STREAMED_ROUTES = frozenset({("WEBSOCKET", "/live"), ("GET", "/events")})

# Always answered: a flood of requests should not look like a dead process.
UNCOUNTED_ROUTES = frozenset({("GET", "/health")})


def grants(held: Collection[Scope], needed: Scope) -> bool:
    """Whether the scopes of a key are enough; `admin` includes the others."""
    return needed in held or "admin" in held
