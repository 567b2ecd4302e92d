"""A game through the service gives the numbers that its row in the table of games gives."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from models.forecasters.forecaster import ForecastRequest
from models.game.clock import GameClock
from models.game.horizon import END_MINUTE, HORIZONS
from models.training.bundle import Bundle
from serve_app.model.forecast_answer import as_answer
from serve_app.model.forecasting import Fused
from serve_app.schemas import Distribution, GameRegistration
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Update
from tests.serve_app.conftest import LocalShards
from tests.serve_app.test_live_state import Event, belongs, random_game, state_of, write_games

START = datetime(2024, 11, 6, 0, 30, tzinfo=UTC)


@pytest.fixture
def placement(bundle: Bundle) -> Fused:
    return Fused(bundle.forecaster)


def as_update(event: Event) -> Update:
    period, remaining, home, away = event
    clock = GameClock(period, remaining)
    return Update("g1", period, clock.time_remaining, home, away)


def minutes_of(course: list[Event]) -> list[list[Event]]:
    """The events of each regulation minute, and what a poll sees at its end."""
    minutes: list[list[Event]] = []
    seen, last = 0, (0, 0)
    for minute in range(1, 49):
        new = [event for event in course[seen:] if belongs(event, minute)]
        seen += len(new)
        last = (new[-1][2], new[-1][3]) if new else last
        quarter = -(-minute // 12)
        left = 60.0 * (12 * quarter - minute)
        at_the_end = new and GameClock(*new[-1][:2]).elapsed_seconds == 60.0 * minute
        minutes.append(new if at_the_end else [*new, (quarter, left, *last)])
    return minutes


async def test_every_minute_is_forecast_to_the_last_digit_as_from_the_table(
    shards: LocalShards, shard: GameShard, bundle: Bundle, tmp_path: Path
):
    course = random_game(Random(3))  # noqa: S311
    games = write_games(tmp_path, [course])
    shard.register(
        GameRegistration(game_id="g1", home_team="BOS", away_team="LAL", start_time=START)
    )
    compared = 0
    for minute, events in enumerate(minutes_of(course)[:47], start=1):
        await shards.post_scores([as_update(event) for event in events])
        await shards.settle()
        view = shard.game("g1")
        assert view.forecast is not None
        for horizon in HORIZONS:
            made: Distribution | None = getattr(view.forecast, horizon)
            if minute >= END_MINUTE[horizon]:
                assert made is None
                continue
            question = ForecastRequest(
                state=state_of(games, 0, minute),
                horizon=horizon,
                home_team="BOS",
                away_team="LAL",
                date=view.day,
                exclude_game_id="g1",
            )
            (offline,) = bundle.forecaster.forecast([question], similar=0)
            numbers = as_answer(offline, explain=False)
            assert made is not None
            assert made == Distribution(
                **{name: getattr(numbers, name) for name in Distribution.model_fields}
            )
            compared += 1
            if (minute, horizon) == (18, "halftime"):
                assert view.prediction is not None
                assert view.prediction.quantiles == numbers.quantiles
    assert compared == 23 + 47
