"""Config files: Serve's own format, checked before anything starts."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

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
    if not isinstance(content, dict) or not isinstance(content.get("applications"), list):
        raise SettingsError(f"{path}: expected a Serve config file with a list of applications")
    if port is not None:
        content.setdefault("http_options", {})["port"] = port
    content.setdefault("http_options", {}).setdefault("host", LOOPBACK)
    for application in content["applications"]:
        args = dict(application.get("args") or {})
        if data_dir is not None:
            args["data_dir"] = data_dir
        # Replicas run elsewhere than this process, so a relative folder is resolved here.
        settings = Settings.parse(args)
        application["args"] = settings.model_copy(
            update={"data_dir": settings.data_dir.resolve(), "bundle": settings.bundle.resolve()}
        ).model_dump(mode="json")
    try:
        return ServeDeploySchema.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}; got {item['input']!r}"
            for item in error.errors()
        )
        raise SettingsError(f"{path}: {wrong}") from None
