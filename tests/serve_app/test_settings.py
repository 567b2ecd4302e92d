from pathlib import Path

import pytest

from serve_app.process.config_file import load_config
from serve_app.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))

APP = "name: forecaster, import_path: 'serve_app.application:forecaster'"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_config_is_accepted_and_stays_on_loopback(path: Path, tmp_path: Path):
    config = load_config(path, port=1234, data_dir=tmp_path)
    assert (config.http_options.host, config.http_options.port) == ("127.0.0.1", 1234)
    for application in config.applications:
        assert Settings.parse(application.args).data_dir == tmp_path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"placement": "both"}, r"'placement'.*'composed' or 'fused'.*got 'both'"),
        ({"shards": 0}, r"'shards'.*greater than or equal to 1.*got 0"),
        ({"alpha": 1}, r"'alpha'.*less than or equal to 0.999; got 1"),
        ({"alpha": "0.1"}, r"'alpha'.*valid number; got '0.1'"),
        ({"shards": True}, r"'shards'.*valid integer; got True"),
        ({"shard": 2}, r"'shard' is unknown; expected one of .*shards"),
        ({"weights": "half"}, r"'weights'.*'bundle' or 'original'.*got 'half'"),
        ({"weights": [0.9, 0.3]}, r"'weights'.*sum to 1.*got"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(given: dict[str, object], message: str):
    with pytest.raises(SettingsError, match=message):
        Settings.parse(given)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pass-word@somewhere/games",
        "postgresql://me@somewhere/games?password=pass-word",
        "postgresql://me@somewhere/games?sslpassword=pass-word",
        "postgresql://me:pass-word@somewhere",
        "mysql://me:pass-word@somewhere/games",
        "postgresql://me:1@pass-word:somewhere:5432/games",
        ["postgresql://me:pass-word@somewhere/games"],
    ],
)
def test_a_password_in_the_store_url_is_refused_and_not_told(url: object):
    with pytest.raises(SettingsError, match=r"'store_url'.*PGPASSWORD") as refused:
        Settings.parse({"store_url": url})
    assert "pass-word" not in str(refused.value)


def test_several_wrong_settings_are_all_named():
    with pytest.raises(SettingsError, match=r"'alpha'.*; .*'shards'"):
        Settings.parse({"shards": 0, "alpha": 2})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("applications: 3", "a list of applications"),
        ("- a", "a list of applications"),
        ("{", "in YAML"),
        (f"{{applications: [{{{APP}}}], proxy_location: Nowhere}}", "proxy_location"),
        ("{applications: [1]}", "to be mappings"),
        (f"{{applications: [{{{APP}, args: [1]}}]}}", "to be mappings"),
        (f"{{applications: [{{{APP}}}], http_options: 3}}", "to be mappings"),
        (
            f"{{applications: [{{{APP}, args: {{bundle: /nowhere}}}}]}}",
            "'bundle': .*expected a bundle folder",
        ),
        (
            f"{{applications: [{{{APP}, args: {{shards: 1}}}}, {{{APP}, args: {{shards: 2}}}}]}}",
            "the same args",
        ),
    ],
)
def test_a_file_that_is_no_config(content: str, message: str, tmp_path: Path):
    path = tmp_path / "wrong.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        load_config(path)


def test_every_setting_is_documented():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    readme = (ROOT / "README.md").read_text()
    assert [name for name in Settings.model_fields if f"`{name}`" not in readme] == []
