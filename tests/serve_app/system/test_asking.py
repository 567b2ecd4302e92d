import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from ray.exceptions import ActorUnavailableError, RayTaskError

from serve_app.api.ingress import build_api
from serve_app.api.problems import Unavailable
from serve_app.api.system_routes import no_system
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import System
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.system import asking as module
from serve_app.system.asking import asking
from serve_app.system.system_state import SystemState


def hub(answer: Callable[[], Awaitable[System]]) -> Any:  # noqa: ANN401 - as Ray's handles
    return SimpleNamespace(
        system=SimpleNamespace(options=lambda **_: SimpleNamespace(remote=answer))
    )


async def known() -> System:
    return SystemState(2).system(3)


async def never() -> System:
    await asyncio.Event().wait()
    raise AssertionError


def failing(error: Exception) -> Callable[[], Awaitable[System]]:
    async def answer() -> System:
        raise error

    return answer


def task_error(cause: Exception) -> RayTaskError:
    return RayTaskError("system", "", cause)  # type: ignore[no-untyped-call]


async def test_what_the_hub_knows_is_told():
    assert (await asking(hub(known))()).games_monitored == 3


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (failing(ActorUnavailableError("away", None)), "does not answer"),
        (never, "does not answer"),
        (failing(task_error(Unavailable("just begun"))), "just begun"),
        (failing(task_error(ValueError("a defect"))), "its log says more"),
    ],
)
async def test_where_the_hub_does_not_tell_nothing_is_made_up(
    answer: Callable[[], Awaitable[System]], told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(Unavailable, match=told):
        await asking(hub(answer))()


async def test_the_route_answers_it_or_a_problem(service: LiveService, store: Store):
    model = ServedModel(Settings(), store)
    for ask, status in ((asking(hub(known)), 200), (no_system, 503)):
        api = build_api(Settings(), service, store, model, system=ask)
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            answer = await client.get("/system")
        assert answer.status_code == status
        if status == 200:
            assert System.model_validate(answer.json()).shards_expected == 2
        else:
            assert answer.json()["type"] == "urn:problem:unavailable"
            assert answer.headers["Retry-After"]
