"""The routes of webhooks: register, look, change, try, send again."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response

from serve_app.api.description import BODY_PROBLEMS, problems
from serve_app.api.problems import (
    Forbidden,
    ForbiddenAddress,
    InvalidRequest,
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    WebhookDisabled,
    WebhookExists,
)
from serve_app.schemas import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Webhook,
    WebhookChange,
    WebhookId,
    WebhookRegistration,
    WebhookWithSecret,
)
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.webhooks.destinations import Destinations
from serve_app.webhooks.errors import RefusedAddressError
from serve_app.webhooks.registry import Registry

PAGE_LIMIT = 1_000
OF_A_WEBHOOK = (
    "webhook",
    "change_webhook",
    "test_webhook",
    "rotate_webhook",
    "webhook_deliveries",
    "delete_webhook",
)
REFUSED = (Forbidden, ForbiddenAddress)


def add_webhook_routes(
    api: FastAPI, settings: Settings, store: Store, destinations: Destinations | None = None
) -> None:
    """Add them to the application; `destinations` are those of the settings where not given."""
    allowed = destinations or Destinations.of(settings)
    registry = Registry(store)
    _add_webhooks(api, allowed, registry)
    _add_deliveries(api, registry)


def _add_webhooks(api: FastAPI, allowed: Destinations, registry: Registry) -> None:
    @api.post(
        "/webhooks",
        status_code=201,
        responses={
            201: {"links": _links("$response.body#/id", *OF_A_WEBHOOK)},
            **problems(*BODY_PROBLEMS, *REFUSED, WebhookExists, TooManyWebhooks),
        },
    )
    async def register_webhook(wanted: WebhookRegistration) -> WebhookWithSecret:
        """Have events posted to a URL, signed with the secret in the answer, shown this once."""
        await _expect_reachable(allowed, wanted.url)
        return await asyncio.to_thread(registry.register, wanted)

    @api.get("/webhooks")
    async def webhooks() -> list[Webhook]:
        """All webhooks, oldest first."""
        return await asyncio.to_thread(registry.all)

    @api.get("/webhooks/{webhook_id}", responses=problems(InvalidRequest, UnknownWebhook))
    async def webhook(webhook_id: WebhookId) -> Webhook:
        """One webhook, without its secret."""
        return await asyncio.to_thread(registry.get, webhook_id)

    @api.patch(
        "/webhooks/{webhook_id}",
        responses=problems(*BODY_PROBLEMS, *REFUSED, UnknownWebhook, WebhookExists),
    )
    async def change_webhook(webhook_id: WebhookId, wanted: WebhookChange) -> Webhook:
        """Change the URL, events or rules of a webhook, or switch it off and on."""
        if "url" in wanted.model_fields_set:
            await _expect_reachable(allowed, wanted.url)
        return await asyncio.to_thread(registry.change, webhook_id, wanted)

    @api.delete(
        "/webhooks/{webhook_id}",
        status_code=204,
        responses=problems(InvalidRequest, UnknownWebhook),
    )
    async def delete_webhook(webhook_id: WebhookId) -> Response:
        """Take a webhook away with all that waits to be sent to it."""
        await asyncio.to_thread(registry.delete, webhook_id)
        return Response(status_code=204)

    @api.post("/webhooks/{webhook_id}/rotate", responses=problems(InvalidRequest, UnknownWebhook))
    async def rotate_webhook(webhook_id: WebhookId) -> WebhookWithSecret:
        """Make a new secret, shown this once; the one before signs beside it for a day."""
        return await asyncio.to_thread(registry.rotate, webhook_id)


def _add_deliveries(api: FastAPI, registry: Registry) -> None:
    @api.post(
        "/webhooks/{webhook_id}/test",
        responses={
            200: {
                "links": _links(
                    "$request.path.webhook_id",
                    "resend_delivery",
                    delivery_id="$response.body#/id",
                )
            },
            **problems(InvalidRequest, UnknownWebhook, WebhookDisabled),
        },
    )
    async def test_webhook(webhook_id: WebhookId) -> Delivery:
        """Send a `ping`; what came of it is told among the deliveries."""
        return await asyncio.to_thread(registry.test, webhook_id)

    @api.get(
        "/webhooks/{webhook_id}/deliveries", responses=problems(InvalidRequest, UnknownWebhook)
    )
    async def webhook_deliveries(
        webhook_id: WebhookId,
        state: Annotated[DeliveryState | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = 100,
    ) -> list[Delivery]:
        """What was sent, waits to be, or was given up (`dead`), newest first."""
        return await asyncio.to_thread(registry.deliveries, webhook_id, state, limit)

    @api.post(
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/resend",
        responses=problems(InvalidRequest, UnknownWebhook, UnknownDelivery, WebhookDisabled),
    )
    async def resend_delivery(webhook_id: WebhookId, delivery_id: DeliveryId) -> Delivery:
        """Send a delivery again under the same id, whatever became of it."""
        return await asyncio.to_thread(registry.resend, webhook_id, delivery_id)


async def _expect_reachable(allowed: Destinations, url: str) -> None:
    try:
        await allowed.expect_reachable(url)
    except RefusedAddressError as error:
        raise ForbiddenAddress(str(error)) from None


def _links(webhook_id: str, *operations: str, **parameters: str) -> Mapping[str, Mapping[str, Any]]:
    """OpenAPI links to operations of a webhook, whose id an expression finds."""
    return {
        operation: {
            "operationId": operation,
            "parameters": {"webhook_id": webhook_id, **parameters},
        }
        for operation in operations
    }
