from pathlib import Path

import pytest
from ray.serve.schema import (
    ServeDeploySchema,
)

from serve_app.process.config_edits import ConfigEdits
from serve_app.process.config_file import load_config
from serve_app.process.server import StopRequestedError, take_edit

CONFIG = """
applications:
  - name: live-feed
    import_path: serve_app.application:live_feed
    deployments: [{name: LiveFeed, num_replicas: 1}]
"""


class Deployed:
    """Notes the replicas that it is told to run; refuses some."""

    def __init__(self) -> None:
        self.replicas: list[object] = []
        self.refused: dict[object, Exception] = {}

    def __call__(self, config: ServeDeploySchema) -> None:
        count = config.applications[0].deployments[0].num_replicas
        self.replicas.append(count)
        if count in self.refused:
            raise self.refused[count]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def edits(path: Path) -> ConfigEdits:
    return ConfigEdits(path, lambda: load_config(path))


def edit(path: Path, edits: ConfigEdits, deployed: Deployed, replicas: int) -> None:
    path.write_text(CONFIG.replace("num_replicas: 1", f"num_replicas: {replicas}"))
    for _ in range(2):  # the first look waits whether more is coming
        take_edit(edits, deployed)


def test_an_edit_is_deployed_once(
    path: Path, edits: ConfigEdits, capsys: pytest.CaptureFixture[str]
):
    deployed = Deployed()
    take_edit(edits, deployed)
    edit(path, edits, deployed, 2)
    take_edit(edits, deployed)
    assert deployed.replicas == [2]
    assert "is taken" in capsys.readouterr().out


def test_what_does_not_deploy_is_taken_back(
    path: Path, edits: ConfigEdits, capsys: pytest.CaptureFixture[str]
):
    deployed = Deployed()
    edit(path, edits, deployed, 2)
    deployed.refused = {3: RuntimeError("no room")}
    edit(path, edits, deployed, 3)
    assert deployed.replicas == [2, 3, 2]
    said = capsys.readouterr().err
    assert "does not deploy: no room" in said
    assert "the config before the edit is back" in said
    deployed.refused = {3: RuntimeError("no room"), 2: RuntimeError("none either")}
    edit(path, edits, deployed, 4)
    edit(path, edits, deployed, 3)
    assert deployed.replicas[3:] == [4, 3, 4]


def test_a_wrong_edit_deploys_nothing(
    path: Path, edits: ConfigEdits, capsys: pytest.CaptureFixture[str]
):
    deployed = Deployed()
    path.write_text("applications: 3")
    for _ in range(2):
        take_edit(edits, deployed)
    assert deployed.replicas == []
    assert "is refused" in capsys.readouterr().err


def test_a_request_to_stop_is_heard_while_an_edit_deploys(path: Path, edits: ConfigEdits):
    deployed = Deployed()
    deployed.refused = {2: StopRequestedError()}
    with pytest.raises(StopRequestedError):
        edit(path, edits, deployed, 2)
