"""The settings of the service: typed, documented, refused with what is allowed when wrong.

They stand as `args` of the applications in a config file of `configs/`.
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    field_validator,
)

from serve_app.storage.database import postgresql_url

SHIPPED_BUNDLE = Path(__file__).parent.parent / "models" / "bundles" / "nba-2023"
MOST_SIMILAR_GAMES = 50  # that one answer names

Weight = Annotated[StrictFloat, Field(ge=0, le=1)]

HostName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253)
]
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$", max_length=300)]


class SettingsError(ValueError):
    """A setting is wrong: says which, what came and what is allowed."""


class Settings(BaseModel):
    """Every setting of the service, with its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    placement: Literal["composed", "fused"] = Field(
        default="composed",
        description="composed: Dejavu and LSTM are deployments of their own; fused: both live "
        "inside every shard and ingress replica. Same answers to the last bit.",
    )
    data_dir: Path = Field(
        default=Path("data"), description="Folder of the embedded store; made where it is absent."
    )
    store_url: str | None = Field(
        default=None,
        description="PostgreSQL instead of the embedded store, for several nodes: "
        "postgresql://user@host:5432/database. The password stands in PGPASSWORD or ~/.pgpass.",
    )
    archive_after_days: StrictInt = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Once a day the journals of games that ended so many days ago go to Parquet "
        "files in archive/ of the data folder; 0 keeps all in the store.",
    )
    bundle: Path = Field(
        default=SHIPPED_BUNDLE, description="Bundle folder with everything trained."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where the LSTM of a replica runs; auto takes a GPU where there is one. Inside "
        "a shard it runs on the CPU.",
    )
    weights: Literal["bundle", "original"] | tuple[Weight, Weight] = Field(
        default="bundle",
        description="Ensemble weights of Dejavu and LSTM: bundle (fitted), original (0.4 and 0.6), "
        "or two numbers that sum to 1.",
    )
    alpha: StrictFloat = Field(
        default=0.05,
        ge=0.001,
        le=0.999,
        description="Miscoverage of the live interval: 0.05 is 95 %.",
    )
    similar_games: StrictInt = Field(
        default=10,
        ge=0,
        le=MOST_SIMILAR_GAMES,
        description="Similar historical games named in an explanation.",
    )
    forecast_interval_seconds: StrictFloat = Field(
        default=5.0,
        ge=0,
        le=3600,
        description="A game's running forecast is made at most once in so many seconds; 0 makes "
        "one with every update.",
    )
    shards: StrictInt = Field(
        default=2, ge=1, le=64, description="Actors that hold the games and forecast them."
    )
    auto_register: StrictBool = Field(
        default=False,
        description="Register an unknown game by an update that names home_team and away_team.",
    )
    max_body_bytes: StrictInt = Field(
        default=1_000_000, ge=1_000, le=100_000_000, description="Largest request body, in bytes."
    )
    max_list_items: StrictInt = Field(
        default=500, ge=1, le=10_000, description="Most updates or patterns in one list."
    )
    max_requests_in_flight: StrictInt = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Requests that one replica works on at once; one more is a 503 problem.",
    )
    max_held_body_bytes: StrictInt = Field(
        default=50_000_000,
        ge=1_000,
        le=10_000_000_000,
        description="Bytes of all request bodies that one replica holds at once; one that goes "
        "beyond is a 503 problem.",
    )
    max_watchers: StrictInt = Field(
        default=2_000,
        ge=1,
        le=100_000,
        description="WebSocket clients of one replica; one more is refused with a 503 problem.",
    )
    request_timeout_seconds: StrictFloat = Field(
        default=10.0, gt=0, le=300, description="A REST answer that takes longer is a 504 problem."
    )
    feed_queue_messages: StrictInt = Field(
        default=10_000,
        ge=10,
        le=100_000,
        description="Messages that may wait for one WebSocket client before it is dropped.",
    )

    keyless: StrictBool = Field(
        default=False,
        description="Answer without an API key as long as the store never had one; "
        "scripts/serve.py sets it where the service listens on loopback only, and refuses it "
        "elsewhere.",
    )
    allowed_hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Names in `Host` that the service answers for besides localhost and IP "
        "addresses, without a port; the host of http_options is one of them.",
    )
    allowed_origins: tuple[Origin, ...] = Field(
        default=(),
        description="Other sites whose pages may use the service: scheme://host[:port].",
    )
    requests_per_second: StrictInt = Field(
        default=2_000,
        ge=1,
        le=1_000_000,
        description="Requests a second that one key may send to one replica, and all without a "
        "key together while none exists; more is a 429 problem.",
    )
    keyless_requests_per_second: StrictInt = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="Requests a second without a good key, all together, to one replica once "
        "keys exist: the page, probes, and whoever guesses.",
    )

    webhook_private_addresses: StrictBool = Field(
        default=False,
        description="Let webhooks go to private, loopback and other addresses that are not public, "
        "and over plain http.",
    )
    webhook_hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Hosts that webhooks may go to; where none is named, every public one.",
    )

    @field_validator("store_url")
    @classmethod
    def _postgresql_without_password(cls, text: str | None) -> str | None:
        if text is not None:
            postgresql_url(text)
        return text

    @field_validator("weights")
    @classmethod
    def _sum_to_one(cls, weights: object) -> object:
        if isinstance(weights, tuple) and not math.isclose(sum(weights), 1.0):
            raise ValueError("the two weights should sum to 1")
        return weights

    @classmethod
    def parse(cls, given: dict[str, Any]) -> "Settings":
        """The settings of a config file's `args`; raises SettingsError naming every wrong one."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise SettingsError("; ".join(_wrong(item) for item in error.errors())) from None


def _wrong(item: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name = str(item["loc"][0])
    if item["type"] == "extra_forbidden":
        return f"setting {name!r} is unknown; expected one of {', '.join(Settings.model_fields)}"
    description = Settings.model_fields[name].description
    # What came as a URL may have a password in it.
    got = "" if name == "store_url" else f"; got {item['input']!r}"
    return f"setting {name!r}: {item['msg']}{got} ({description})"
