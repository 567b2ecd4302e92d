from pathlib import Path

import pytest
from ray.serve.schema import ServeDeploySchema

from serve_app.process.config_edits import ConfigEdits
from serve_app.process.config_file import load_config
from serve_app.settings import SettingsError

CONFIG = """
applications:
  - name: forecaster
    route_prefix: /
    import_path: serve_app.application:forecaster
    args: {placement: fused}
    deployments:
      - name: Ingress
        num_replicas: 1
"""
LIVE_FEED = """
  - name: live-feed
    route_prefix: /ws
    import_path: serve_app.application:live_feed
    args: {placement: fused}
"""


class Edited:
    """A config file, and how often it was read as a config."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text(CONFIG)
        self.read = 0

    def load(self) -> ServeDeploySchema:
        self.read += 1
        return load_config(self.path)

    def edit(self, *replaced: tuple[str, str]) -> None:
        text = CONFIG
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        self.path.write_text(text)


@pytest.fixture
def file(tmp_path: Path) -> Edited:
    return Edited(tmp_path)


@pytest.fixture
def edits(file: Edited) -> ConfigEdits:
    return ConfigEdits(file.path, file.load)


def replicas(config: ServeDeploySchema | None) -> object:
    assert config is not None
    return config.applications[0].deployments[0].num_replicas


def test_what_is_not_edited_is_not_read_again(edits: ConfigEdits, file: Edited):
    assert [edits.edited() for _ in range(3)] == [None] * 3
    assert file.read == 1
    assert replicas(edits.in_service) == 1


def test_an_edit_is_read_once_it_stays_the_same(edits: ConfigEdits, file: Edited):
    file.edit(("num_replicas: 1", "num_replicas: 2"))
    assert edits.edited() is None
    file.edit(("num_replicas: 1", "num_replicas: 3"))
    assert edits.edited() is None
    assert replicas(edits.edited()) == 3
    assert edits.edited() is None
    assert file.read == 2


def test_an_edit_that_is_taken_back_at_once_is_none(edits: ConfigEdits, file: Edited):
    file.edit(("num_replicas: 1", "num_replicas: 2"))
    assert edits.edited() is None
    file.edit()
    assert [edits.edited() for _ in range(2)] == [None, None]


def test_a_file_that_is_away_is_waited_for(edits: ConfigEdits, file: Edited):
    file.path.unlink()
    assert [edits.edited() for _ in range(2)] == [None, None]
    file.edit(("num_replicas: 1", "num_replicas: 2"))
    assert edits.edited() is None
    assert replicas(edits.edited()) == 2


def test_a_wrong_edit_is_refused_once_and_the_next_one_read(edits: ConfigEdits, file: Edited):
    file.path.write_text("applications: 3")
    assert edits.edited() is None
    with pytest.raises(SettingsError, match="a list of applications"):
        edits.edited()
    assert edits.edited() is None
    file.edit(("num_replicas: 1", "num_replicas: 2"))
    assert edits.edited() is None
    assert replicas(edits.edited()) == 2


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("placement: fused", "placement: composed", "args of 'forecaster'"),
        ("args: {", "args: {shards: 4, ", "args of 'forecaster'"),
        ("route_prefix: /", "route_prefix: /api", "route_prefix of 'forecaster'"),
        ("applications:", f"applications: {LIVE_FEED}", "the applications"),
        ("applications:", "http_options: {port: 9000}\napplications:", "http_options"),
        ("applications:", "proxy_location: Disabled\napplications:", "proxy_location"),
    ],
)
def test_what_only_a_restart_can_change_is_refused(
    edits: ConfigEdits, file: Edited, old: str, new: str, named: str
):
    file.edit((old, new))
    assert edits.edited() is None
    with pytest.raises(SettingsError, match=f"{named}: expected an edit of the options of depl"):
        edits.edited()
    assert replicas(edits.in_service) == 1
