"""`user_config` of the deployments: what may be edited while the replicas run."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serve_app.settings import SettingsError


class Batching(BaseModel):
    """Of a model deployment: how requests that come together are batched."""

    model_config = ConfigDict(extra="forbid")

    max_batch_size: int = Field(default=16, ge=1, le=1024)
    batch_wait_timeout_s: float = Field(default=0.0, ge=0.0, le=1.0)


class InService(BaseModel):
    """Of the ingress: the folder of the bundle in service; without one that of the settings."""

    model_config = ConfigDict(extra="forbid")

    bundle: Path | None = None


USER_CONFIGS: Mapping[str, type[Batching | InService]] = MappingProxyType(
    {"Ingress": InService, "Dejavu": Batching, "Lstm": Batching}
)


def check_user_config(deployment: str, given: Mapping[str, Any]) -> None:
    """Raise SettingsError where this deployment's replicas would refuse it."""
    kind = USER_CONFIGS.get(deployment)
    if kind is None:
        raise SettingsError(
            f"user_config of {deployment!r}: expected one of {', '.join(USER_CONFIGS)} only; "
            f"got {dict(given)}"
        )
    try:
        kind.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))!r}: {item['msg']}; got {item['input']!r}"
            for item in error.errors()
        )
        raise SettingsError(
            f"user_config of {deployment!r}: expected {', '.join(kind.model_fields)}; {wrong}"
        ) from None
