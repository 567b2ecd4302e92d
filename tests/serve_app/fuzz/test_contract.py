import asyncio
from collections import Counter
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI

from serve_app.api.ingress import build_api
from serve_app.fuzz.contract import ContractReport, check_contract
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import EXAMPLE_GAME, EXAMPLE_URL, System
from serve_app.settings import Settings
from serve_app.storage.store import Store
from serve_app.system.system_state import SystemState

# No other is called, nor is its name looked up.
RECEIVER = str(urlsplit(EXAMPLE_URL).hostname)


async def checked(app: FastAPI, examples: int, phases: tuple[str, ...]) -> ContractReport:
    """The report of an application that runs on a real port meanwhile."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        return await asyncio.to_thread(
            check_contract,
            f"http://127.0.0.1:{port}",
            seed=11,
            examples=examples,
            phases=phases,
        )
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def api(service: LiveService, store: Store) -> FastAPI:
    async def system() -> System:
        return SystemState(settings.shards).system(games_monitored=0)

    settings = Settings(webhook_hosts=(RECEIVER,))
    return build_api(settings, service, store, ServedModel(settings, store), system=system)


async def test_the_service_keeps_to_its_description(api: FastAPI):
    _without_keys(api)
    report = await checked(api, examples=1, phases=("examples", "coverage", "stateful"))
    assert report.failures == {}
    assert report.errors == []
    assert report.server_errors == 0
    assert set(report.cases) == {"examples", "coverage", "stateful"}
    told: Counter[str] = Counter()
    for (operation, status), count in report.answers.items():
        told[operation] += count if 200 <= status < 300 else 0
    described = api.openapi()["paths"]
    operations = {f"{method.upper()} {path}" for path in described for method in described[path]}
    assert {operation for operation in operations if not told[operation]} == set()


async def test_an_answer_that_is_not_described_is_found(api: FastAPI):
    _without_keys(api)
    described = api.openapi()["paths"]
    answer = described["/predict"]["post"]["responses"]["200"]["content"]["application/json"]
    answer["schema"] = {"type": "object", "required": ["absent"]}
    report = await checked(api, examples=1, phases=("examples",))
    assert not report.holds
    (failure,) = report.failures
    assert failure.startswith("examples: POST /predict: response_schema_conformance: ")


def test_the_description_has_examples_and_links(api: FastAPI):
    paths = api.openapi()["paths"]
    links = paths["/games"]["post"]["responses"]["200"]["links"]
    assert set(links) == {"game", "post_score", "prediction", "course", "similar", "end"}
    operations = {
        operation["operationId"] for path in paths.values() for operation in path.values()
    }
    assert set(links) < operations
    body = paths["/scores"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"][-1]["game_id"] == EXAMPLE_GAME
    assert body["example"][-1]["time_remaining"] == "6:00"
    refused = paths["/scores"]["post"]["responses"]["503"]
    assert set(refused["content"]) == {"application/problem+json"}
    assert refused["headers"]["Retry-After"]["required"]


def _without_keys(api: FastAPI) -> None:
    """This application has no gate, so that its description may not promise one."""
    for path in api.openapi()["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
