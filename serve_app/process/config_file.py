"""Config files: Serve's own format, checked before anything starts."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ray.serve.schema import DeploymentSchema, ServeDeploySchema

from models.errors import BundleError
from models.training.bundle import Bundle
from serve_app.access.hosts import is_address, is_loopback
from serve_app.model.model_deployments import APPLICATION
from serve_app.model.user_config import check_user_config
from serve_app.process.environment import LOOPBACK
from serve_app.settings import Settings, SettingsError

INGRESS = "Ingress"
FORECASTER, LIVE_FEED = "serve_app.application:forecaster", "serve_app.application:live_feed"
# What is read of a config; Serve has more, such as runtime_env, that suits other ways to deploy.
TOP_LEVEL = {"proxy_location", "http_options", "logging_config", "applications"}
# By these the parts of the service find each other.
NAMES = {FORECASTER: APPLICATION, LIVE_FEED: "live-feed"}
OF_AN_APPLICATION = {
    *("name", "route_prefix", "import_path", "args", "deployments", "logging_config")
}


def load_config(
    path: Path, *, port: int | None = None, data_dir: Path | None = None
) -> ServeDeploySchema:
    """Read a config file, with another port or data folder where given.

    Every bundle that it names is read, and the `user_config` of the ingress names the bundle in
    service also where the file leaves it to the settings.

    Raises SettingsError on what Serve or the service would refuse, naming what is allowed.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: expected a Serve config file in YAML; {error}") from error
    _check_shape(content, path)
    http = content["http_options"] = {"host": LOOPBACK, **(content.get("http_options") or {})}
    if port is not None:
        http["port"] = port
    bundles: set[Path] = set()
    for application in content["applications"]:
        args = {**(application.get("args") or {}), **({"data_dir": data_dir} if data_dir else {})}
        settings = _settings(_with_host(args, http["host"]))
        _expect_deployments(application, settings.placement, path)
        application["args"] = settings.model_dump(mode="json")
        if application["args"] != content["applications"][0]["args"]:
            raise SettingsError(
                f"{path}: expected the same args for every application, for they share shards and "
                f"store; those of {application.get('name')!r} differ from the first one's"
            )
        bundles |= {settings.bundle, _name_bundle_in_service(application, settings.bundle)}
    for bundle in bundles:
        _check_bundle(bundle, path)
    try:
        return ServeDeploySchema.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}; got {item['input']!r}"
            for item in error.errors()
        )
        raise SettingsError(f"{path}: {wrong}") from None


def _check_shape(content: Any, path: Path) -> None:  # noqa: ANN401 - whatever YAML holds
    """Raise SettingsError where the parts that are read here have not the form of a config."""
    applications = content.get("applications") if isinstance(content, dict) else None
    if not (isinstance(applications, list) and applications):
        raise SettingsError(f"{path}: expected a Serve config file with a list of applications")
    _expect_known(content, TOP_LEVEL, path)
    _expect_mappings([content.get("http_options")], path)
    _expect_mappings(applications, path, required=True)
    for application in applications:
        _expect_known(application, OF_AN_APPLICATION, path)
        if application.get("import_path") not in (FORECASTER, LIVE_FEED):
            raise SettingsError(
                f"{path}: expected {FORECASTER} or {LIVE_FEED} as import_path; "
                f"got {application.get('import_path')!r}"
            )
        name = NAMES[application["import_path"]]
        if application.get("name") != name:
            raise SettingsError(
                f"{path}: expected {name!r} as name of {application['import_path']}; "
                f"got {application.get('name')!r}"
            )
        _expect_mappings([application.get("args")], path)
        deployments = application.get("deployments") or []
        if not isinstance(deployments, list):
            raise SettingsError(f"{path}: expected a list of deployments; got {deployments!r}")
        _expect_mappings(deployments, path, required=True)
        _expect_mappings([deployment.get("user_config") for deployment in deployments], path)


def _expect_mappings(parts: list[Any], path: Path, *, required: bool = False) -> None:
    allowed = dict if required else dict | None
    wrong = [part for part in parts if not isinstance(part, allowed)]
    if wrong:
        raise SettingsError(
            f"{path}: expected http_options, every application and deployment, args and "
            f"user_config to be mappings; got {wrong}"
        )


def _expect_known(part: dict[str, Any], known: set[str], path: Path) -> None:
    unknown = sorted(str(key) for key in part if key not in known)
    if unknown:
        raise SettingsError(f"{path}: expected the keys {sorted(known)}; got {unknown} too")


def _expect_deployments(application: dict[str, Any], placement: str, path: Path) -> None:
    """Raise SettingsError on a deployment that is not there, or an option that Serve has not."""
    known = {"LiveFeed"} if application["import_path"] == LIVE_FEED else {INGRESS}
    if INGRESS in known and placement == "composed":
        known |= {"Dejavu", "Lstm"}
    for deployment in application.get("deployments") or ():
        if deployment.get("name") not in known:
            raise SettingsError(
                f"{path}: expected deployments of {sorted(known)} ({placement}) in "
                f"{application.get('name')!r}; got {deployment.get('name')!r}"
            )
        _expect_known(deployment, set(DeploymentSchema.model_fields), path)


def _name_bundle_in_service(application: dict[str, Any], default: Path) -> Path:
    """Check every `user_config`, and name the bundle's folder in that of the ingress.

    Serve tells replicas of a `user_config` only where there is one: one that has gone from the file
    would leave the last bundle in service.
    """
    deployments = application["deployments"] = list(application.get("deployments") or ())
    for deployment in deployments:
        if deployment.get("user_config") is not None:
            check_user_config(str(deployment.get("name")), deployment["user_config"])
    if application.get("import_path") != FORECASTER:
        return default
    ingress = next((one for one in deployments if one.get("name") == INGRESS), None)
    if ingress is None:
        ingress = {"name": INGRESS}
        deployments.append(ingress)
    chosen = (ingress.get("user_config") or {}).get("bundle")
    bundle = Path(chosen).resolve() if chosen else default
    ingress["user_config"] = {"bundle": str(bundle)}
    return bundle


def _settings(args: dict[str, Any]) -> Settings:
    """The settings with folders resolved, for replicas run elsewhere than this process."""
    settings = Settings.parse(args)
    return settings.model_copy(
        update={"data_dir": settings.data_dir.resolve(), "bundle": settings.bundle.resolve()}
    )


def _with_host(args: dict[str, Any], host: object) -> dict[str, Any]:
    """The args with what follows from the host that the service binds.

    It answers without keys on loopback only; a name that it is bound by is one of its own.
    """
    name = str(host)
    if is_loopback(name):
        return {"keyless": True, **args}
    if args.get("keyless"):
        raise SettingsError(
            f"setting 'keyless': expected http_options.host to be {LOOPBACK}; got {name!r}, "
            "where others can reach the service"
        )
    known = args.get("allowed_hosts") or []
    if is_address(name) or not isinstance(known, list | tuple):
        return args
    return {**args, "allowed_hosts": [*known, name]}


def _check_bundle(folder: Path, path: Path) -> None:
    try:
        Bundle.load(folder)
    except BundleError as error:
        raise SettingsError(f"{path}: 'bundle': {error}") from None
