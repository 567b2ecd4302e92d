"""The composition root: which parts make up the service.

Config files name `forecaster` and `live_feed`, which Serve calls where it is given such a file;
`scripts/serve.py` calls `targets`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ray import serve
from ray.serve import Application, Deployment, RunTarget
from ray.serve.schema import ServeApplicationSchema, ServeDeploySchema

from serve_app.deployments import DejavuReplica, IngressReplica, LiveFeedReplica, LstmReplica
from serve_app.process.config_file import FORECASTER, LIVE_FEED
from serve_app.settings import Settings, SettingsError

Options = Mapping[str, Mapping[str, Any]]  # of the deployments, by name
# Args do not change while a cluster runs, so what differs between two configs is options: with the
# same version Serve gives them to the replicas that run.
VERSION = "1"


def forecaster(args: dict[str, Any]) -> Application:
    """The HTTP application, in the placement that the settings choose.

    `args` are the settings of the config file; raises SettingsError where one is wrong.
    """
    return _forecaster(Settings.parse(args), {})


def live_feed(args: dict[str, Any]) -> Application:
    """The application of the live feed, over the same store and shards as the forecaster."""
    return _live_feed(Settings.parse(args), {})


def _forecaster(settings: Settings, options: Options) -> Application:
    ingress = _deployment("Ingress", IngressReplica, options)
    if settings.placement == "fused":
        return ingress.bind(settings)
    dejavu = _deployment("Dejavu", DejavuReplica, options).bind(settings)
    lstm = _deployment("Lstm", LstmReplica, options).bind(settings)
    return ingress.bind(settings, dejavu, lstm)


def _live_feed(settings: Settings, options: Options) -> Application:
    return _deployment("LiveFeed", LiveFeedReplica, options).bind(settings)


def _deployment(name: str, replica: type, options: Options) -> Deployment:
    try:
        deployment = serve.deployment(name=name)(replica).options(**options.get(name, {}))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"deployment {name!r}: expected options of Serve's; {error}") from None
    return deployment.options(version=VERSION, _internal=True)


BUILDERS: Mapping[str, Callable[[Settings, Options], Application]] = {
    FORECASTER: _forecaster,
    LIVE_FEED: _live_feed,
}


def targets(config: ServeDeploySchema) -> list[RunTarget]:
    """The applications of a config file, their deployments with the options that it gives them.

    Built in the process that asks: Serve would start one for each application to build it in.
    Raises SettingsError where an option has a value that Serve refuses.
    """
    return [
        RunTarget(
            _application(application),
            application.name,
            application.route_prefix,
            application.logging_config or config.logging_config,
        )
        for application in config.applications
    ]


def _application(config: ServeApplicationSchema) -> Application:
    options = {
        deployment.name: deployment.model_dump(exclude_unset=True, exclude={"name"})
        for deployment in config.deployments
    }
    return BUILDERS[config.import_path](Settings.parse(config.args), options)
