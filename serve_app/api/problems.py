"""Errors as RFC 9457 problem details: one shape everywhere, with a `type` to switch on.

ServiceProblem
├── InvalidRequest        422  a field is wrong: says which, what came, what was expected
├── MalformedBody         400  the body is no JSON, or not a list where a list is due
├── MisplacedKey          400  an API key in the URL, or two that differ
├── Unauthorized          401  no API key or ticket, or one that is not good
├── Forbidden             403  the key lacks the scope: names it
├── ForbiddenHost         403  the service does not answer for this host
├── ForbiddenOrigin       403  a page of another site asks
├── ForbiddenAddress      403  webhooks are not sent to this address
├── UnsupportedEncoding   415  the body is compressed
├── SlowBody              408  the body did not come in time
├── BodyTooLarge          413  the body is over the limit
├── ListTooLong           413  the list is over the limit
├── UnknownGame           404  no such game: says how to register it
├── NotFound              404  no such page
├── MethodNotAllowed      405
├── PredictionNotMade     404  the game has no prediction yet
├── InsufficientPatternProblem 404  nor can it have one: too many minutes without an update
├── NothingToCompare      404  the game has no minute yet that past games could be like
├── UnknownPastGame       404  the library has no such game
├── Conflict              409  the game is registered with other content
├── TooManyRequests       429  the key asks more often than its rate
├── SequenceReused        409  another update of the game has this sequence number
├── TooManyUpdates        409  the game has as many updates as it may
├── UnknownWebhook        404  no such webhook
├── UnknownDelivery       404  the webhook has no such delivery
├── WebhookExists         409  another webhook does the same: names it
├── TooManyWebhooks       409  there are as many webhooks as there may be
├── WebhookDisabled       409  nothing is sent to it: enable it first
├── Unavailable           503  a shard, the models or the store do not answer
├── Overloaded            503  a queue of the service is full: come back later
├── TimedOut              504  the answer took longer than the limit
└── InternalError         500  a defect of the service
"""

from typing import ClassVar

from serve_app.schemas import Problem

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem:"


class ServiceProblem(Exception):  # noqa: N818 - a problem is the field's word for it (RFC 9457)
    """An error to be answered as problem details; `members` are extension members."""

    status: ClassVar[int] = 500
    name: ClassVar[str] = "internal"
    title: ClassVar[str] = "The service failed"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members

    def __reduce__(self) -> tuple[object, ...]:
        """Carry the members across processes, which an exception alone would drop."""
        return (_rebuild, (type(self), self.detail, self.members))

    def problem(self) -> Problem:
        """The problem details of this error."""
        return Problem.model_validate(
            {
                "type": TYPE_PREFIX + self.name,
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                **self.members,
            }
        )


def _rebuild(kind: type[ServiceProblem], detail: str, members: dict[str, object]) -> ServiceProblem:
    return kind(detail, **members)


class InvalidRequest(ServiceProblem):
    """A field is wrong; `errors` lists each with `field`, `value` and `expected`."""

    status = 422
    name = "invalid_request"
    title = "The request has a wrong value"


class MalformedBody(ServiceProblem):
    """The body cannot be read."""

    status = 400
    name = "malformed_body"
    title = "The body cannot be read"


class MisplacedKey(ServiceProblem):
    """An API key is where it must not be; its value is not told."""

    status = 400
    name = "misplaced_key"
    title = "The API key is in the wrong place"


class Unauthorized(ServiceProblem):
    """The request needs an API key that is good."""

    status = 401
    name = "unauthorized"
    title = "An API key is needed"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(ServiceProblem):
    """The key is good, but not for this; `scope` is the one that is needed."""

    status = 403
    name = "forbidden"
    title = "The API key may not do this"


class ForbiddenHost(ServiceProblem):
    """The service does not answer for the host that was asked for."""

    status = 403
    name = "forbidden_host"
    title = "The service does not answer for this host"


class ForbiddenOrigin(ServiceProblem):
    """The request comes from a page of another site."""

    status = 403
    name = "forbidden_origin"
    title = "The request comes from another site"


class UnsupportedEncoding(ServiceProblem):
    """The body has a content coding, and none is taken: a small body could become a huge one."""

    status = 415
    name = "unsupported_encoding"
    title = "The body's encoding is not taken"


class SlowBody(ServiceProblem):
    """The body did not come in time; the same request may be sent again."""

    status = 408
    name = "slow_body"
    title = "The body did not come in time"


class BodyTooLarge(ServiceProblem):
    """The body is over the limit."""

    status = 413
    name = "payload_too_large"
    title = "The body is too large"


class ListTooLong(ServiceProblem):
    """The list is over the limit."""

    status = 413
    name = "list_too_long"
    title = "The list is too long"


class UnknownGame(ServiceProblem):
    """The game is not registered."""

    status = 404
    name = "unknown_game"
    title = "The game is not registered"

    @classmethod
    def of(cls, game_id: str) -> "UnknownGame":
        """The problem for `game_id`, saying how to register it."""
        return cls(
            f"game {game_id!r} is not registered; register it first: POST /games "
            '{"game_id": ..., "home_team": ..., "away_team": ...}',
            game_id=game_id,
        )


class NotFound(ServiceProblem):
    """There is no such page."""

    status = 404
    name = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(ServiceProblem):
    """The route has no such method."""

    status = 405
    name = "method_not_allowed"
    title = "The method is not allowed here"


class PredictionNotMade(ServiceProblem):
    """The game has no prediction (yet)."""

    status = 404
    name = "prediction_not_made"
    title = "There is no prediction"


class InsufficientPatternProblem(ServiceProblem):
    """The game is past its trigger, but too many minutes saw no update."""

    status = 404
    name = "insufficient_pattern"
    title = "Too many minutes have no update"


class NothingToCompare(ServiceProblem):
    """The game has no completed minute yet, or too many of its minutes have no update."""

    status = 404
    name = "nothing_to_compare"
    title = "There is nothing to compare yet"


class UnknownPastGame(ServiceProblem):
    """The library of the bundle in service does not hold this game."""

    status = 404
    name = "unknown_past_game"
    title = "The library has no such game"


class Conflict(ServiceProblem):
    """The game is registered with other content."""

    status = 409
    name = "conflict"
    title = "The game is registered with other content"


class TooManyRequests(ServiceProblem):
    """The key asks more often than its rate allows; the same request may be sent again."""

    status = 429
    name = "too_many_requests"
    title = "There are too many requests"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class SequenceReused(ServiceProblem):
    """Another update of the same game and source has this sequence number."""

    status = 409
    name = "sequence_reused"
    title = "The sequence number was used for another update"


class TooManyUpdates(ServiceProblem):
    """The game has as many updates as it may."""

    status = 409
    name = "too_many_updates"
    title = "The game takes no more updates"


class ForbiddenAddress(ServiceProblem):
    """The service does not send webhooks to this address."""

    status = 403
    name = "forbidden_address"
    title = "The service does not send webhooks to this address"


class UnknownWebhook(ServiceProblem):
    """There is no such webhook."""

    status = 404
    name = "unknown_webhook"
    title = "There is no such webhook"


class UnknownDelivery(ServiceProblem):
    """The webhook has no such delivery (any more)."""

    status = 404
    name = "unknown_delivery"
    title = "The webhook has no such delivery"


class WebhookExists(ServiceProblem):
    """Another webhook, `webhook_id`, has the same URL, events and rules."""

    status = 409
    name = "webhook_exists"
    title = "A webhook does the same already"


class TooManyWebhooks(ServiceProblem):
    """There are as many webhooks as there may be."""

    status = 409
    name = "too_many_webhooks"
    title = "There are too many webhooks"


class WebhookDisabled(ServiceProblem):
    """Nothing is sent to the webhook: it is to be enabled first."""

    status = 409
    name = "webhook_disabled"
    title = "The webhook is disabled"


class Unavailable(ServiceProblem):
    """A part of the service does not answer; the same request may be sent again."""

    status = 503
    name = "unavailable"
    title = "The service cannot answer now"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class Overloaded(ServiceProblem):
    """A queue of the service is full; nothing was done, and the request may be sent again."""

    status = 503
    name = "overloaded"
    title = "The service has too much to do"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class TimedOut(ServiceProblem):
    """The answer took longer than the limit; the same request may be sent again."""

    status = 504
    name = "timeout"
    title = "The answer took too long"


class InternalError(ServiceProblem):
    """A defect of the service."""
