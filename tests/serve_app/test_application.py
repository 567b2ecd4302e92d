"""Config files as applications: what they set reaches the deployments, what is wrong is said."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from serve_app.application import targets
from serve_app.process.config_file import load_config
from serve_app.process.service_process import ROOT
from serve_app.settings import SettingsError


def loaded(path: Path, deployments: list[dict[str, Any]], **settings: object) -> ServeDeploySchema:
    application = {
        "name": "forecaster",
        "import_path": "serve_app.application:forecaster",
        "args": settings,
        "deployments": deployments,
    }
    config = path / "config.yaml"
    config.write_text(yaml.safe_dump({"applications": [application]}), encoding="utf-8")
    return load_config(config)


@pytest.mark.parametrize("name", ["fused.yaml", "local.yaml"])
def test_the_shipped_configs_say_what_their_deployments_are(name: str):
    config = load_config(ROOT / "configs" / name)
    for application, target in zip(config.applications, targets(config), strict=True):
        assert (target.name, target.route_prefix) == (application.name, application.route_prefix)
        ingress = target.target._bound_deployment
        (asked,) = [one for one in application.deployments if one.name == ingress.name]
        assert ingress.max_ongoing_requests == asked.max_ongoing_requests
        assert ingress.user_config == asked.model_dump(exclude_unset=True).get("user_config")


def test_options_reach_the_deployment_and_its_version_stays(tmp_path: Path):
    for replicas in (1, 3):
        (target,) = targets(loaded(tmp_path, [{"name": "Ingress", "num_replicas": replicas}]))
        assert target.target._bound_deployment.num_replicas == replicas
        assert target.target._bound_deployment.version == "1"


@pytest.mark.parametrize(
    ("deployment", "told"),
    [
        ({"name": "Ingres"}, "expected deployments of .'Ingress'. .fused.*; got 'Ingres'"),
        ({"name": "Dejavu"}, "got 'Dejavu'"),
        ({"name": "Ingress", "num_replica": 2}, "got .'num_replica'. too"),
        (
            {"name": "Ingress", "autoscaling_config": {"min_replicas": 5, "max_replicas": 2}},
            "deployment 'Ingress': expected options of Serve's",
        ),
    ],
)
def test_a_wrong_deployment_or_option_is_said(
    tmp_path: Path, deployment: dict[str, Any], told: str
):
    with pytest.raises(SettingsError, match=told):
        targets(loaded(tmp_path, [deployment], placement="fused"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"import_path": "mine:app"}, "expected serve_app.application:forecaster or"),
        ({"runtime_env": {}}, "got .'runtime_env'. too"),
    ],
)
def test_what_is_not_read_of_a_config_is_refused(
    tmp_path: Path, change: dict[str, object], told: str
):
    application = {"name": "a", "import_path": "serve_app.application:forecaster", **change}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"applications": [application]}), encoding="utf-8")
    with pytest.raises(SettingsError, match=told):
        load_config(path)
    path.write_text("applications: []", encoding="utf-8")
    with pytest.raises(SettingsError, match="a list of applications"):
        load_config(path)
    path.write_text(yaml.safe_dump({"applications": [application], "target_capacity": 50}))
    with pytest.raises(SettingsError, match="target_capacity"):
        load_config(path)
