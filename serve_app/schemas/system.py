"""What is told of the running service itself: `GET /system` and the `system` message."""

from datetime import datetime

from pydantic import Field

from serve_app.schemas.answers import Answer


class FeedLag(Answer):
    """How long ago the last update of a live game came, in seconds, over all live games.

    Repeats of an update count too: they show that its scraper is alive.
    """

    median: float
    longest: float


class ResponseTimes(Answer):
    """The last minute's HTTP requests, over all ingress replicas, in milliseconds.

    From the request's admission to the end of its answer; within 10 % of the exact percentile.
    """

    requests: int
    p50: float
    p95: float
    p99: float


class System(Answer):
    """How the service is doing; rates and percentiles are of the last minute.

    Null is what is not known now: it is never made up.
    """

    time: datetime
    games_monitored: int | None = Field(
        description="Registered games that are not over: heard of within a day, or registered "
        "within a week and not begun."
    )
    games_live: int | None = Field(
        description="Games that have begun, are not over, and were heard of in the last 3 hours."
    )
    updates_per_second: float | None = Field(description="Updates taken, without repeats.")
    feed_lag_seconds: FeedLag | None
    response_ms: ResponseTimes | None
    ingress_replicas: int
    shards: int
    shards_expected: int
    feed_replicas: int
    watchers: int
    dropped_watchers: int = Field(
        description="Watchers that were too slow, since their feed replica started."
    )
    webhooks_pending: int | None
    model_version: str | None
    calibration_version: str | None
