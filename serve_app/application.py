"""The composition root: which parts make up the service. Config files name these two functions."""

from typing import Any

from ray import serve
from ray.serve import Application, Deployment

from serve_app.deployments import DejavuReplica, IngressReplica, LiveFeedReplica, LstmReplica
from serve_app.settings import Settings


def forecaster(args: dict[str, Any]) -> Application:
    """The HTTP application, in the placement that the settings choose.

    `args` are the settings of the config file; raises SettingsError where one is wrong.
    """
    settings = Settings.parse(args)
    ingress = _deployment("Ingress", IngressReplica)
    if settings.placement == "fused":
        return ingress.bind(settings)
    dejavu = _deployment("Dejavu", DejavuReplica).bind(settings)
    lstm = _deployment("Lstm", LstmReplica).bind(settings)
    return ingress.bind(settings, dejavu, lstm)


def live_feed(args: dict[str, Any]) -> Application:
    """The WebSocket application, over the same store and shards as the forecaster."""
    return _deployment("LiveFeed", LiveFeedReplica).bind(Settings.parse(args))


def _deployment(name: str, replica: type) -> Deployment:
    """A deployment; config files set its options by this name."""
    return serve.deployment(name=name)(replica)
