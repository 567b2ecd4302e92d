from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.training.bundle import Bundle
from serve_app.process.config_file import load_config
from serve_app.settings import SHIPPED_BUNDLE, SettingsError
from tests.serve_app.small_bundles import saved, small

Write = Callable[..., Path]
INGRESS = {"name": "Ingress", "num_replicas": 1}


@pytest.fixture(scope="module")
def other(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(small(bundle), tmp_path_factory.mktemp("other"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*deployments: object, **args: object) -> Path:
        application = {
            "name": "forecaster",
            "route_prefix": "/",
            "import_path": "serve_app.application:forecaster",
            "args": args,
            "deployments": list(deployments),
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({"applications": [application]}))
        return path

    return write


def user_configs(path: Path) -> dict[str, Any]:
    (application,) = load_config(path).applications
    return {one.name: one.user_config for one in application.deployments}


def test_the_bundle_in_service_is_that_of_the_settings_unless_one_is_chosen(
    write: Write, other: Path
):
    assert user_configs(write(INGRESS)) == {"Ingress": {"bundle": str(SHIPPED_BUNDLE)}}
    assert user_configs(write(bundle=str(other))) == {"Ingress": {"bundle": str(other)}}
    for given in ({}, {"bundle": None}, {"bundle": str(SHIPPED_BUNDLE)}):
        named = write({**INGRESS, "user_config": given}, bundle=str(SHIPPED_BUNDLE))
        assert user_configs(named) == {"Ingress": {"bundle": str(SHIPPED_BUNDLE)}}
    chosen = write({**INGRESS, "user_config": {"bundle": str(other)}})
    assert user_configs(chosen) == {"Ingress": {"bundle": str(other)}}


def test_a_relative_folder_is_made_absolute(
    write: Write, other: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(other.parent)
    path = write({**INGRESS, "user_config": {"bundle": other.name}}, bundle=other.name)
    (application,) = load_config(path).applications
    assert application.args["bundle"] == str(other)
    assert application.deployments[0].user_config == {"bundle": str(other)}


def test_the_other_deployments_stay_as_they_are(write: Write):
    batching = {"name": "Lstm", "user_config": {"max_batch_size": 8}}
    assert user_configs(write(batching)) == {
        "Lstm": {"max_batch_size": 8},
        "Ingress": {"bundle": str(SHIPPED_BUNDLE)},
    }


def damaged(folder: Path, other: Path, name: str) -> Path:
    folder.mkdir()
    for file in other.iterdir():
        content = file.read_bytes()
        (folder / file.name).write_bytes(content[:-1] if file.name == name else content)
    return folder


@pytest.mark.parametrize("name", ["library.parquet", "lstm.safetensors", "parameters.json"])
@pytest.mark.parametrize("place", ["args", "user_config"])
def test_a_damaged_bundle_is_refused_wherever_it_is_named(
    write: Write, other: Path, tmp_path: Path, name: str, place: str
):
    folder = str(damaged(tmp_path / "damaged", other, name))
    ingress = {**INGRESS, "user_config": {"bundle": folder}}
    path = write(ingress) if place == "user_config" else write(bundle=folder)
    with pytest.raises(SettingsError, match=f"config.yaml: 'bundle': .*{name}: expected sha256"):
        load_config(path)


@pytest.mark.parametrize(
    ("deployment", "message"),
    [
        (
            {"name": "Ingress", "user_config": {"bundel": "x"}},
            "user_config of 'Ingress': expected bundle; 'bundel'",
        ),
        (
            {"name": "Ingress", "user_config": {"bundle": 3}},
            "user_config of 'Ingress': expected bundle; 'bundle': .* got 3",
        ),
        (
            {"name": "Ingress", "user_config": {"bundle": "/nowhere"}},
            "'bundle': /nowhere: expected a bundle folder with bundle.json",
        ),
        (
            {"name": "Lstm", "user_config": {"max_batch_size": 0}},
            "user_config of 'Lstm': expected max_batch_size, batch_wait_timeout_s; "
            "'max_batch_size': .*greater than or equal to 1; got 0",
        ),
        (
            {"name": "LiveFeed", "user_config": {"bundle": "x"}},
            "got 'LiveFeed'",
        ),
        ({"name": "Ingress", "user_config": 3}, "user_config to be mappings"),
        ("Ingress", "deployment, args and user_config to be mappings; got .*'Ingress'"),
    ],
)
def test_a_wrong_deployment_is_refused_with_what_is_allowed(
    write: Write, deployment: object, message: str
):
    with pytest.raises(SettingsError, match=message):
        load_config(write(deployment))


def test_the_parts_of_the_service_have_the_names_that_they_find_each_other_by(tmp_path: Path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "applications: [{name: mine, import_path: 'serve_app.application:live_feed'}]"
    )
    with pytest.raises(SettingsError, match=r"expected 'live-feed' as name of .*; got 'mine'"):
        load_config(config)


def test_deployments_that_are_no_list_are_refused(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "applications: [{name: forecaster, import_path: 'serve_app.application:forecaster', "
        "deployments: 3}]"
    )
    with pytest.raises(SettingsError, match="expected a list of deployments; got 3"):
        load_config(path)


def with_host(path: Path, host: str) -> Path:
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, "http_options": {"host": host}}))
    return path


def args_of(path: Path) -> dict[str, Any]:
    (application,) = load_config(path).applications
    args: dict[str, Any] = application.args
    return args


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_the_service_answers_without_keys_unless_told(write: Write, host: str):
    assert args_of(with_host(write(), host))["keyless"] is True
    assert args_of(with_host(write(keyless=False), host))["keyless"] is False
    assert args_of(write())["keyless"] is True


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "scores.example.com"])  # noqa: S104
def test_elsewhere_it_never_does(write: Write, host: str):
    assert args_of(with_host(write(), host))["keyless"] is False
    with pytest.raises(SettingsError, match=f"'keyless'.*127.0.0.1; got '{host}'"):
        load_config(with_host(write(keyless=True), host))


def test_a_service_answers_for_the_name_that_it_is_bound_by(write: Write):
    named = args_of(with_host(write(allowed_hosts=["b.example.com"]), "a.example.com"))
    assert named["allowed_hosts"] == ["b.example.com", "a.example.com"]
    assert args_of(with_host(write(), "192.168.1.5"))["allowed_hosts"] == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("allowed_hosts", ["https://a.example.com"]),
        ("allowed_hosts", ["a.example.com:8000"]),
        ("allowed_hosts", "a.example.com"),
        ("allowed_origins", ["a.example.com"]),
        ("allowed_origins", ["https://a.example.com/"]),
        ("allowed_origins", ["*"]),
        ("requests_per_second", 0),
    ],
)
def test_a_wrong_access_setting_is_refused(write: Write, setting: str, value: object):
    with pytest.raises(SettingsError, match=f"'{setting}'"):
        load_config(with_host(write(**{setting: value}), "a.example.com"))
