import threading
from collections.abc import Sequence

import pytest
from ray.serve import RunTarget
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    ServeDeploySchema,
    ServeStatus,
)

from serve_app.process import applications
from serve_app.process.config_file import load_config
from serve_app.process.service_process import ROOT, ServiceProcessError


class Serve:
    """Runs each application at the second look, as Serve's own functions tell; one fails.

    One that is deleted is gone at the third look after that.
    """

    def __init__(self, failing: str = "") -> None:
        self.looks: dict[str, int] = {}
        self.seen: list[dict[str, str]] = []
        self.leaving: dict[str, int] = {}
        self._failing = failing

    def run_many(self, targets: Sequence[RunTarget], **_: object) -> None:
        running = self.status().applications.items()
        self.seen.append({name: application.status.value for name, application in running})
        self.looks |= dict.fromkeys((target.name for target in targets), 0)

    def delete(self, name: str, *, _blocking: bool) -> None:
        assert not _blocking  # one would be waited for before the next is told
        self.leaving[name] = 3

    def status(self) -> ServeStatus:
        for name in self.leaving:
            self.leaving[name] -= 1
            if not self.leaving[name]:
                del self.looks[name]
        return ServeStatus(applications={name: self._look(name) for name in self.looks})

    def _look(self, name: str) -> ApplicationStatusOverview:
        self.looks[name] += 1
        status = ApplicationStatus.RUNNING if self.looks[name] > 1 else ApplicationStatus.DEPLOYING
        if name == self._failing:
            status = ApplicationStatus.DEPLOY_FAILED
        return ApplicationStatusOverview(status, "no memory", 0.0, {})


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "POLL_SECONDS", 0.0)


def serving(monkeypatch: pytest.MonkeyPatch, fake: Serve) -> ServeDeploySchema:
    monkeypatch.setattr(applications, "serve", fake)
    return load_config(ROOT / "configs" / "fused.yaml")


def test_what_takes_the_scores_runs_before_the_live_feed_is_deployed(
    monkeypatch: pytest.MonkeyPatch,
):
    fake = Serve()
    applications.deploy(serving(monkeypatch, fake))
    assert fake.seen == [{}, {"forecaster": "RUNNING"}]
    assert list(fake.looks) == ["forecaster", "live-feed"]


def test_an_application_that_does_not_start_is_named_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
):
    config = serving(monkeypatch, Serve(failing="live-feed"))
    with pytest.raises(ServiceProcessError, match=r"live-feed did not start: no memory"):
        applications.deploy(config)


def test_all_are_told_to_leave_and_waited_for(monkeypatch: pytest.MonkeyPatch):
    fake, said = Serve(), list[str]()
    applications.deploy(serving(monkeypatch, fake))
    applications.drain(said.append)
    assert fake.leaving == {"forecaster": 0, "live-feed": 0}
    assert fake.looks == {}
    assert said == []


def test_what_goes_wrong_while_they_leave_is_said(monkeypatch: pytest.MonkeyPatch):
    class Gone(Serve):
        def status(self) -> ServeStatus:
            raise RuntimeError("the controller has died")

    said: list[str] = []
    monkeypatch.setattr(applications, "serve", Gone())
    applications.drain(said.append)
    assert said == ["the applications are not stopped in order: the controller has died"]


def test_a_cluster_that_does_not_answer_holds_no_stop_up(monkeypatch: pytest.MonkeyPatch):
    answers = threading.Event()

    class Silent(Serve):
        def status(self) -> ServeStatus:
            answers.wait(60)
            return super().status()

    monkeypatch.setattr(applications, "serve", Silent())
    monkeypatch.setattr(applications, "DRAIN_SECONDS", 0.01)
    try:
        applications.drain(pytest.fail)
        assert not answers.is_set()
        assert any(thread.name == "drain" for thread in threading.enumerate())
    finally:
        answers.set()
