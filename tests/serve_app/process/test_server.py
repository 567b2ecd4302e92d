from collections.abc import Sequence
from pathlib import Path

import pytest
from ray.serve import RunTarget
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    ServeDeploySchema,
    ServeStatus,
)

from serve_app.process import server
from serve_app.process.config_edits import ConfigEdits
from serve_app.process.config_file import load_config
from serve_app.process.server import StopRequestedError, take_edit
from serve_app.process.service_process import ROOT, ServiceProcessError

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


class Serve:
    """Runs each application at the second look, as Serve's own functions tell; one fails."""

    def __init__(self, failing: str = "") -> None:
        self.looks: dict[str, int] = {}
        self.seen: list[dict[str, str]] = []
        self._failing = failing

    def run_many(self, targets: Sequence[RunTarget], **_: object) -> None:
        running = self.status().applications.items()
        self.seen.append({name: application.status.value for name, application in running})
        self.looks |= dict.fromkeys((target.name for target in targets), 0)

    def status(self) -> ServeStatus:
        return ServeStatus(applications={name: self._look(name) for name in self.looks})

    def _look(self, name: str) -> ApplicationStatusOverview:
        self.looks[name] += 1
        status = ApplicationStatus.RUNNING if self.looks[name] > 1 else ApplicationStatus.DEPLOYING
        if name == self._failing:
            status = ApplicationStatus.DEPLOY_FAILED
        return ApplicationStatusOverview(status, "no memory", 0.0, {})


def serving(monkeypatch: pytest.MonkeyPatch, fake: Serve) -> ServeDeploySchema:
    monkeypatch.setattr(server, "serve", fake)
    monkeypatch.setattr(server, "POLL_SECONDS", 0.0)
    return load_config(ROOT / "configs" / "fused.yaml")


def test_what_takes_the_scores_runs_before_the_live_feed_is_deployed(
    monkeypatch: pytest.MonkeyPatch,
):
    fake = Serve()
    server.deploy(serving(monkeypatch, fake))
    assert fake.seen == [{}, {"forecaster": "RUNNING"}]
    assert list(fake.looks) == ["forecaster", "live-feed"]


def test_an_application_that_does_not_start_is_named_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
):
    config = serving(monkeypatch, Serve(failing="live-feed"))
    with pytest.raises(ServiceProcessError, match=r"live-feed did not start: no memory"):
        server.deploy(config)
