"""Actors of which a cluster has one, which outlive who started them."""

from typing import Any

import ray

from serve_app.settings import Settings

NAMESPACE = "halftime"


def lasting_actor(kind: type, name: str, settings: Settings) -> Any:  # noqa: ANN401 - Ray types no actor handle
    """The one actor of this name, started where it does not run yet and whenever it dies."""
    return (
        ray.remote(kind)
        .options(
            name=name,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=-1,
        )
        .remote(settings)
    )
