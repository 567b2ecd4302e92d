"""Config files: Serve's own format, checked before anything starts."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from models.bundle import MANIFEST
from serve_app.process.environment import LOOPBACK
from serve_app.settings import Settings, SettingsError


def load_config(
    path: Path, *, port: int | None = None, data_dir: Path | None = None
) -> ServeDeploySchema:
    """Read a config file, with another port or data folder where given.

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
    for application in content["applications"]:
        args = {**(application.get("args") or {}), **({"data_dir": data_dir} if data_dir else {})}
        application["args"] = _settings(args, path).model_dump(mode="json")
        if application["args"] != content["applications"][0]["args"]:
            raise SettingsError(
                f"{path}: expected the same args for every application, for they share shards and "
                f"store; those of {application.get('name')!r} differ from the first one's"
            )
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
    if not isinstance(applications, list):
        raise SettingsError(f"{path}: expected a Serve config file with a list of applications")
    parts = [content.get("http_options"), *applications]
    parts += [part.get("args") for part in applications if isinstance(part, dict)]
    wrong = [part for part in parts if not isinstance(part, dict | None)]
    if wrong or None in applications:
        raise SettingsError(
            f"{path}: expected http_options, every application and its args to be mappings; "
            f"got {wrong or applications}"
        )


def _settings(args: dict[str, Any], path: Path) -> Settings:
    """The settings with folders resolved, for replicas run elsewhere than this process."""
    settings = Settings.parse(args)
    bundle = settings.bundle.resolve()
    if not (bundle / MANIFEST).is_file():
        raise SettingsError(
            f"{path}: setting 'bundle': expected a folder with {MANIFEST}; got {bundle}"
        )
    return settings.model_copy(update={"data_dir": settings.data_dir.resolve(), "bundle": bundle})
