from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.calibration.learned_game import as_table
from models.calibration.learning import game_errors
from models.forecasters.forecaster import ForecastRequest, MarginForecast
from models.game.games import GameTable
from models.game.horizon import CELLS
from models.training.bundle import Bundle
from serve_app.model.forecasting import Fused
from serve_app.model.game_lesson import CHUNK, lesson
from tests.serve_app.small_bundles import DAY, ended_game, small


@pytest.fixture(scope="module")
def taught(bundle: Bundle) -> Bundle:
    return small(bundle, 0.3)


class Counted:
    """A placement that notes how many forecasts it is asked for at a time."""

    def __init__(self, bundle: Bundle) -> None:
        self._fused = Fused(bundle.forecaster)
        self.asked: list[int] = []

    async def forecast(
        self, requests: Sequence[ForecastRequest], *, similar: int
    ) -> list[MarginForecast]:
        assert similar == 0
        self.asked.append(len(requests))
        return await self._fused.forecast(requests, similar=similar)


@pytest.fixture
def placement(taught: Bundle) -> Counted:
    return Counted(taught)


async def test_the_errors_are_those_of_the_table_to_the_last_digit(
    taught: Bundle, placement: Counted
):
    for seed in range(3):
        game = await lesson(ended_game("g1", seed=seed), placement, taught.adaptation())
        table: GameTable = as_table([game])
        expected = np.asarray([game.expected_margin])
        for model, errors in (
            (taught.dejavu, game.dejavu_errors),
            (taught.lstm, game.lstm_errors),
        ):
            assert errors is not None
            assert list(errors) == game_errors(model.increments, table, expected)[0].tolist()
    assert sum(placement.asked) == 3 * len(CELLS)
    assert max(placement.asked) <= CHUNK


async def test_the_expected_margin_is_that_of_the_morning(taught: Bundle, placement: Counted):
    adaptation = taught.adaptation()
    morning = adaptation.before(DAY).strength.expected_margin("BOS", "LAL", DAY)
    first = await lesson(ended_game("g1"), placement, adaptation)
    assert first.expected_margin == morning.margin
    adaptation.learn([first])
    same_day = await lesson(ended_game("g2"), placement, adaptation)
    assert same_day.expected_margin == morning.margin
    next_day = await lesson(
        replace(ended_game("g3"), date=DAY.replace(day=DAY.day + 1)), placement, adaptation
    )
    assert next_day.expected_margin != morning.margin


async def test_the_callers_expected_margin_takes_precedence(taught: Bundle, placement: Counted):
    ended = replace(ended_game("g1"), expected_margin=-7.5)
    game = await lesson(ended, placement, taught.adaptation())
    assert game.expected_margin == -7.5
    other = await lesson(ended_game("g1"), placement, taught.adaptation())
    assert game.dejavu_errors != other.dejavu_errors


async def test_a_game_of_the_library_is_not_its_own_neighbour(taught: Bundle, placement: Counted):
    library = taught.library.games
    row = len(library) - 1
    ended = replace(
        ended_game("g1"),
        expected_margin=float(taught.library.expected_margins[row]),
        margins=tuple(library.margins[row].tolist()),
        last_score=tuple(library.last_score[row].tolist()),
    )
    found, excluded = [
        (await lesson(replace(ended, game_id=name), placement, taught.adaptation())).dejavu_errors
        for name in ("another", str(library.game_id[row]))
    ]
    assert found != excluded


async def test_without_its_course_only_the_final_score_is_learned(
    taught: Bundle, placement: Counted
):
    ended = replace(ended_game("g1"), margins=None, last_score=None)
    game = await lesson(ended, placement, taught.adaptation())
    assert not game.has_course
    assert (game.dejavu_errors, game.lstm_errors, placement.asked) == (None, None, [])
    assert (game.final_home, game.final_away) == (ended.final_home, ended.final_away)
