"""What each process of the service tells of itself, every few seconds."""

from dataclasses import dataclass

REPORT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class IngressReport:
    """An ingress replica: the model that answers, and its last minute's requests by bucket."""

    model_version: str
    calibration_version: str
    responses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShardReport:
    """A shard: updates taken a second, and of each live game how long ago it was heard of."""

    updates_per_second: float
    lags_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FeedReport:
    """A replica of the live feed; `dropped` counts from its start."""

    watchers: int
    dropped: int


@dataclass(frozen=True, slots=True)
class WebhookReport:
    """The sender of webhooks: how many deliveries wait to be made."""

    pending: int


Report = IngressReport | ShardReport | FeedReport | WebhookReport
