import pytest
from ray import serve
from ray.serve._private.common import DeploymentStatus, DeploymentStatusTrigger, ReplicaState
from ray.serve.schema import (
    ApplicationStatus,
    ApplicationStatusOverview,
    DeploymentStatusOverview,
    ServeStatus,
)

from serve_app.system import fellow_replicas
from serve_app.system.fellow_replicas import fellows_answer, running


class Context:
    app_name = "forecaster"
    deployment = "Ingress"


def status(states: dict[ReplicaState, int]) -> ServeStatus:
    deployment = DeploymentStatusOverview(
        status=DeploymentStatus.UPDATING,
        status_trigger=DeploymentStatusTrigger.UNSPECIFIED,
        replica_states=states,
        message="",
    )
    application = ApplicationStatusOverview(
        ApplicationStatus.RUNNING, "", 0.0, {"Ingress": deployment}
    )
    return ServeStatus(applications={"forecaster": application})


@pytest.mark.parametrize(
    ("states", "answering"),
    [
        ({}, 0),
        ({ReplicaState.STARTING: 2}, 0),
        ({ReplicaState.STARTING: 1, ReplicaState.STOPPING: 1}, 0),
        ({ReplicaState.STARTING: 1, ReplicaState.RUNNING: 2}, 2),
    ],
)
def test_those_that_run_take_requests(states: dict[ReplicaState, int], answering: int):
    assert running(status(states), "forecaster", "Ingress") == answering


def test_what_serve_does_not_know_does_not_run():
    known = status({ReplicaState.RUNNING: 1})
    assert running(known, "forecaster", "Lstm") == 0
    assert running(known, "live-feed", "Ingress") == 0


async def test_a_replica_beside_a_running_one_is_not_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "get_replica_context", Context)
    monkeypatch.setattr(serve, "status", lambda: status({ReplicaState.RUNNING: 1}))
    assert await fellows_answer()
    monkeypatch.setattr(serve, "status", ServeStatus)
    assert not await fellows_answer()


async def test_a_controller_that_does_not_answer_leaves_it_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def away() -> ServeStatus:
        raise ConnectionError("no controller")

    monkeypatch.setattr(serve, "status", away)
    assert not await fellows_answer()
    assert "no controller" in caplog.text
    monkeypatch.setattr(fellow_replicas, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(serve, "status", lambda: status({ReplicaState.RUNNING: 1}))
    assert not await fellows_answer()
