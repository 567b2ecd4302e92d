import asyncio
from collections.abc import Sequence

import pytest

from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.game.game_state import GameState
from models.training.bundle import Bundle
from serve_app.api.problems import Unavailable
from serve_app.model.coalesced import Coalesced
from serve_app.model.forecasting import Fused


class Gate(Fused):
    """Makes forecasts when the test lets it, and notes how many each call asked for."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle.forecaster)
        self.open = asyncio.Event()
        self.calls: list[int] = []
        self.failure: BaseException | None = None

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        self.calls.append(len(requests))
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return await super().forecast(requests, similar=similar)


def requests(*levels: float) -> list[ForecastRequest]:
    return [ForecastRequest(state=GameState.of_pattern([level] * 18)) for level in levels]


async def test_those_who_wait_share_a_call_and_get_what_they_would_alone(bundle: Bundle):
    gate = Gate(bundle)
    together = Coalesced(gate, 30.0)
    first = asyncio.create_task(together.forecast(requests(1), similar=3))
    while not gate.calls:
        await asyncio.sleep(0)
    others = [
        asyncio.create_task(together.forecast(requests(2, 3), similar=0)),
        asyncio.create_task(together.forecast(requests(4), similar=5)),
    ]
    await asyncio.sleep(0)
    gate.open.set()
    answers = await asyncio.gather(first, *others)
    assert gate.calls == [1, 3]
    alone = Fused(bundle.forecaster)
    assert answers == [
        await alone.forecast(requests(1), similar=3),
        await alone.forecast(requests(2, 3), similar=0),
        await alone.forecast(requests(4), similar=5),
    ]


async def test_a_failure_reaches_all_who_shared_it_and_nobody_after(bundle: Bundle):
    gate = Gate(bundle)
    gate.failure = RuntimeError("down")
    gate.open.set()
    together = Coalesced(gate, 30.0)
    asked = [asyncio.create_task(together.forecast(requests(n), similar=0)) for n in (1, 2)]
    for one in asked:
        with pytest.raises(RuntimeError, match="down"):
            await one
    gate.failure = None
    assert len(await together.forecast(requests(3), similar=0)) == 1


async def test_a_call_that_is_cancelled_blocks_nobody_after(bundle: Bundle):
    gate = Gate(bundle)
    gate.failure = asyncio.CancelledError()
    gate.open.set()
    together = Coalesced(gate, 30.0)
    with pytest.raises(Unavailable):
        await together.forecast(requests(1), similar=0)
    gate.failure = None
    assert len(await together.forecast(requests(2), similar=0)) == 1


async def test_a_call_that_never_ends_is_given_up(bundle: Bundle):
    gate = Gate(bundle)
    together = Coalesced(gate, 1.0)
    with pytest.raises(Unavailable, match="in time"):
        await together.forecast(requests(1), similar=0)
    gate.open.set()
    assert len(await together.forecast(requests(2), similar=0)) == 1


async def test_one_who_gave_up_does_not_disturb_the_others(bundle: Bundle):
    gate = Gate(bundle)
    together = Coalesced(gate, 30.0)
    gone = asyncio.create_task(together.forecast(requests(1), similar=0))
    stays = asyncio.create_task(together.forecast(requests(2), similar=0))
    while not gate.calls:
        await asyncio.sleep(0)
    gone.cancel()
    gate.open.set()
    assert len(await stays) == 1
