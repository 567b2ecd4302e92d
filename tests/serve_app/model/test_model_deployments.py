"""Model deployments asked from outside of their application."""

from types import SimpleNamespace
from typing import Any

import pytest
from ray import serve
from ray.exceptions import ActorDiedError

from serve_app.api.problems import Unavailable
from serve_app.model.model_deployments import asks_by_name


class Deployments:
    """What Serve has: a deployment by its name, once it is there."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.looked = 0

    def get(self, name: str, application: str) -> SimpleNamespace:
        assert application == "forecaster"
        self.looked += 1
        return SimpleNamespace(forecast=SimpleNamespace(remote=self.there[name]))


async def test_a_deployment_is_looked_for_until_it_is_there_and_where_it_has_gone(
    monkeypatch: pytest.MonkeyPatch,
):
    deployments = Deployments()
    monkeypatch.setattr(serve, "get_deployment_handle", deployments.get)
    ask = asks_by_name("Lstm")
    with pytest.raises(Unavailable, match="there is no Lstm deployment yet"):
        await ask([1])

    async def answers(questions: list[int]) -> list[int]:
        return [-question for question in questions]

    async def is_gone(_: list[int]) -> list[int]:
        raise ActorDiedError

    deployments.there["Lstm"] = answers
    assert (await ask([1]), await ask([2])) == ([-1], [-2])
    assert deployments.looked == 2
    deployments.there["Lstm"] = is_gone
    again = asks_by_name("Lstm")
    with pytest.raises(Unavailable, match="the Lstm deployment does not answer"):
        await again([1])
    deployments.there["Lstm"] = answers
    assert await again([3]) == [-3]
