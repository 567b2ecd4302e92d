"""Webhooks over HTTP: what a caller registers, and what is told of webhooks and their deliveries.

The bodies that go out to receivers are described in `docs/webhooks.md`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, FiniteFloat, StrictBool, StringConstraints

from models.game.horizon import Horizon
from serve_app.schemas.answers import Answer
from serve_app.schemas.fields import MAX_MARGIN, Margin
from serve_app.schemas.messages import ChangeType
from serve_app.schemas.requests import Request

MAX_URL = 500
MAX_DESCRIPTION = 200
EXAMPLE_URL = "https://receiver.invalid/halftime"  # a name that never resolves (RFC 6761)

_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"({_LABEL}(\.{_LABEL}){{0,9}}|\[[0-9A-Fa-f:.]{{2,45}}\])"
_PORT = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
# Neither a name and password before the host nor a fragment.
_TARGET = r"[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]*"
URL_PATTERN = rf"^https?://{_HOST}(:{_PORT})?({_TARGET})?$"

DeliveryState = Literal["pending", "delivered", "dead"]
DisabledBecause = Literal["by_request", "gone"]
EventType = Literal[ChangeType, "ping"]

WebhookUrl = Annotated[str, StringConstraints(strict=True, max_length=MAX_URL, pattern=URL_PATTERN)]
WebhookId = Annotated[str, StringConstraints(strict=True, pattern="^wh_[a-z2-7]{16}$")]
DeliveryId = Annotated[str, StringConstraints(strict=True, pattern="^msg_[a-z0-9_]{1,60}$")]
Events = Annotated[list[ChangeType], Field(min_length=1, max_length=len(get_args(ChangeType)))]
# As names of teams: neither blanks at its ends nor control characters.
Description = Annotated[
    str,
    StringConstraints(
        strict=True,
        min_length=1,
        max_length=MAX_DESCRIPTION,
        pattern=r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$",
    ),
]
Size = Annotated[FiniteFloat, Field(strict=True, ge=0, le=MAX_MARGIN)]


class WebhookRules(Request):
    """Which forecasts a webhook hears of; one that breaks any of the rules is not told.

    They judge the forecast in a `prediction`, a `revision` and a `forecast`; other events have none
    and pass. Margins are in points for home. A `prediction` and a `revision` forecast the halftime
    margin. A running `forecast` is judged by its forecast for `forecast_horizon`, and is not told
    where it has none: halftime is forecast during the first half only.
    """

    min_abs_forecast: Size | None = Field(
        default=None, description="The point forecast is at least so far from 0."
    )
    interval_excludes_zero: StrictBool = Field(
        default=False, description="Both ends of the interval are on the same side of 0."
    )
    forecast_above: Margin | None = Field(
        default=None, description="The point forecast is above this line."
    )
    forecast_below: Margin | None = Field(
        default=None, description="The point forecast is below this line."
    )
    forecast_horizon: Horizon = Field(
        default="halftime", description="Which margin of a running forecast is judged."
    )


class WebhookRegistration(Request):
    """A receiver of events: what happens from now on is posted to `url`, signed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": EXAMPLE_URL,
                    "events": ["prediction", "outcome"],
                    "rules": {"min_abs_forecast": 5.0},
                }
            ]
        }
    )

    url: WebhookUrl
    events: Events
    rules: WebhookRules | None = None
    description: Description | None = None


def _without_default(schema: dict[str, Any]) -> None:
    """What is left out of a change stays as it is, whatever stands here for it."""
    schema.pop("default", None)


class WebhookChange(Request):
    """What is to be different of a webhook; what is left out stays.

    With `rules: null` there are none any more. What happens while a webhook is not `enabled` it
    does not hear of; what waits to be sent to it waits until it is.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    url: WebhookUrl = Field(default="", json_schema_extra=_without_default)
    events: Events = Field(default=[], json_schema_extra=_without_default)
    rules: WebhookRules | None = Field(default=None, json_schema_extra=_without_default)
    enabled: StrictBool = Field(default=True, json_schema_extra=_without_default)


class Webhook(Answer):
    """A registered webhook, without its secret.

    `disabled_because`: `gone` where its receiver has answered 410. Until `previous_secret_until`
    the secret before the last rotation signs too.
    """

    id: str
    url: str
    events: list[ChangeType]
    rules: WebhookRules | None = None
    description: str | None = None
    enabled: bool
    disabled_because: DisabledBecause | None = None
    created_at: datetime
    previous_secret_until: datetime | None = None


class WebhookWithSecret(Webhook):
    """A webhook with the secret that was just made for it: it is not shown again."""

    secret: str = Field(repr=False)


class Delivery(Answer):
    """One event on its way to one webhook; `id` is its `webhook-id`, the same at every attempt.

    `dead` is what was given up after its last attempt. `seq` is that of the live message.
    """

    id: str
    webhook_id: str
    type: EventType
    seq: int | None = None
    game_id: str | None = None
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
