import asyncio
from collections.abc import Callable

import httpx
import pytest

from serve_app.replay.delivery import Delivery
from serve_app.replay.errors import RefusedError
from serve_app.replay.prediction_log import read_predictions
from serve_app.schemas import Prediction

LOG = [
    {
        "point_forecast": float(place),
        "interval_lower": -5.0,
        "interval_upper": 18.0,
        "coverage_probability": 0.95,
        "model_version": "v",
        "expected_margin": 3.0,
        "strength": "ratings",
        "game_id": f"g{place % 150}",
        "pattern": [0.0] * 18,
        "made_at": "2024-04-15T01:00:00Z",
        "quarter": 2,
        "time_remaining": "6:00",
        "minutes_carried_forward": 0,
    }
    for place in range(230)
]


def page(request: httpx.Request) -> httpx.Response:
    """The log as the service pages it: `since` is the place of the last one that was read."""
    since, limit = (int(request.url.params[name]) for name in ("since", "limit"))
    found = LOG[since : since + limit]
    return httpx.Response(200, json={"predictions": found, "next_since": since + len(found)})


def read(
    answer: Callable[[httpx.Request], httpx.Response], game_ids: list[str]
) -> dict[str, list[Prediction]]:
    async def reading() -> dict[str, list[Prediction]]:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await read_predictions(Delivery(client), game_ids)

    return asyncio.run(reading())


def test_all_pages_are_read_and_other_games_left_out() -> None:
    found = read(page, ["g10", "g140", "absent"])
    assert {game: [p.point_forecast for p in made] for game, made in found.items()} == {
        "g10": [10.0, 160.0],
        "g140": [140.0],
    }


def test_an_empty_log_has_nothing() -> None:
    empty = httpx.Response(200, json={"predictions": [], "next_since": 0})
    assert read(lambda _: empty, ["g1"]) == {}


def test_a_log_that_cannot_be_read_says_so() -> None:
    with pytest.raises(RefusedError, match=r"expected status 200; got 404: no log"):
        read(lambda _: httpx.Response(404, text="no log"), ["g1"])
