import asyncio
import json
from collections.abc import Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from serve_app.chaos.feed_watcher import FeedWatcher
from serve_app.chaos.ledger import Ledger
from serve_app.process.environment import LOOPBACK
from serve_app.schemas import Prediction
from tests.serve_app.chaos.conftest import GAME, FakeClock, Played

SNAPSHOT = json.dumps({"seq": 0, "type": "snapshot", "games": []})


def message(prediction: Prediction, seq: int) -> str:
    told = prediction.model_dump(mode="json")
    return json.dumps({"seq": seq, "type": "prediction", "game_id": GAME, "prediction": told})


@pytest.fixture
def prediction(played: Played) -> Prediction:
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    return kept


def test_predictions_of_the_feed_are_kept_with_their_places(prediction: Prediction):
    clock = FakeClock()
    ledger = Ledger(clock.now)
    watcher = FeedWatcher("ws://nowhere", ledger, clock.now)
    watcher.take(SNAPSHOT)
    watcher.take(message(prediction, 20))
    watcher.take(message(prediction, 20))
    assert ledger.predictions[GAME].feed_seqs == {20}
    watcher.take(message(prediction.model_copy(update={"point_forecast": 5.0}), 21))
    assert ledger.predictions[GAME].feed_seqs == {20, 21}
    assert len(ledger.predictions[GAME].differing) == 1


def test_it_comes_back_when_the_feed_breaks_off_and_knows_how_long_it_was_away():
    connections: list[ServerConnection] = []

    async def feed(socket: ServerConnection) -> None:
        connections.append(socket)
        await socket.send(SNAPSHOT)
        if len(connections) == 1:
            return  # breaks off
        await socket.wait_closed()

    async def watching() -> FeedWatcher:
        async with serve(feed, LOOPBACK, 0) as server:
            port = server.sockets[0].getsockname()[1]
            clock = FakeClock()
            watcher = FeedWatcher(f"ws://{LOOPBACK}:{port}", Ledger(clock.now), clock.now)
            async with watcher.running():
                await until(lambda: watcher.watching)
                clock.time = 3.0
                await until(lambda: len(watcher.gaps) == 2)
            return watcher

    watcher = asyncio.run(watching())
    assert len(connections) == 2
    assert watcher.messages == 2


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)
