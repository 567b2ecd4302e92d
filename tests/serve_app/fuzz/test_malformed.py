from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from serve_app.api.ingress import build_api
from serve_app.fuzz.bombardment import bombard, complaint
from serve_app.fuzz.malformed import GAME, KINDS, TARGETS, Attack, attacks, is_good
from serve_app.fuzz.memory import growth
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.settings import Settings
from serve_app.storage.store import Store

JSON = {"content-type": "application/json"}


@pytest.fixture
async def http(service: LiveService, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings()
    api = build_api(settings, service, store, ServedModel(settings, store))
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        game = next(target.good for target in TARGETS if target.path == "/games")
        assert (await client.post("/games", json=game)).status_code == 200
        yield client


async def test_every_malformed_body_is_answered_with_a_problem(http: httpx.AsyncClient):
    done = await bombard(http, attacks(seed=7, count=500))
    assert done.complaints == []
    assert done.sent == 500
    assert {kind for kind, _ in done.answers} == set(KINDS)
    assert (await http.get(f"/games/{GAME}")).json()["updates"] == 0


async def test_the_corpus_is_made_of_bodies_that_break_good_ones(http: httpx.AsyncClient):
    """The bodies that are broken are good: else every answer would be a problem anyway."""
    for target in TARGETS:
        good = Attack(
            "good",
            target,
            httpx.Request("POST", "http://x", json=target.body({**target.good})).content,
        )
        assert is_good(good)
        answer = await http.post(target.path, content=good.content, headers=JSON)
        assert answer.status_code == 200, answer.text
        wrong = complaint(good, answer)
        assert wrong is not None
        assert f"POST {target.path}" in wrong


def test_a_seed_gives_the_same_corpus_with_every_kind_for_every_route():
    once, again = list(attacks(1, 160)), list(attacks(1, 160))
    assert once == again
    assert once != list(attacks(2, 160))
    assert set(Counter((a.kind, a.target.path) for a in once).values()) == {2}


async def test_a_body_that_is_wrong_everywhere_has_a_short_answer(http: httpx.AsyncClient):
    body = {f"field-{number}": number for number in range(50_000)}
    answer = await http.post("/predict", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20
    assert "and 49981 more" in answer.json()["detail"]
    assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    ("content", "headers", "status", "name"),
    [
        ("[]".encode("utf-16"), JSON, 400, "malformed_body"),
        ("[]".encode("utf-32-le"), JSON, 400, "malformed_body"),
        ("[]".encode("utf-8-sig"), JSON, 400, "malformed_body"),
        (b'["\xff"]', JSON, 400, "malformed_body"),
        (b"[]", {**JSON, "content-encoding": "gzip"}, 415, "unsupported_encoding"),
        (b"[]", {**JSON, "content-encoding": "identity"}, 200, None),
    ],
)
async def test_a_body_is_plain_utf8(
    http: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, name: str | None
):
    answer = await http.post("/scores", content=content, headers=headers)
    assert answer.status_code == status
    if name is not None:
        assert answer.json()["type"] == f"urn:problem:{name}"


@pytest.mark.parametrize(
    ("samples", "grown"),
    [([1, 50, 100, 100, 100, 100, 100, 100], 0), ([0, 10, 20, 30, 40, 50, 60, 70], 40)],
)
def test_growth_is_that_after_the_first_quarter(samples: list[int], grown: int):
    assert growth(samples) == grown


def test_growth_wants_samples():
    with pytest.raises(ValueError, match="expected at least 4 samples; got 3"):
        growth([1, 2, 3])
