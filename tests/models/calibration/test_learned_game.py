import datetime
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.calibration.learned_game import LearnedGame, as_table
from models.errors import DataError
from models.game.games import GameTable
from models.ratings.finished_game import FinishedGame, finished_games

DAY = datetime.date(2015, 1, 10)


def learned(game_id: str = "g1", date: datetime.date = DAY, **changes: object) -> LearnedGame:
    random = np.random.default_rng(sum(game_id.encode()))
    margins = random.integers(-3, 4, 48).cumsum()
    course: dict[str, Any] = {
        "margins": tuple(margins.tolist()),
        "last_score": tuple(random.integers(-5, 6, 48).tolist()),
        "dejavu_errors": tuple(random.normal(0, 9, 72).round(2).tolist()),
        "lstm_errors": tuple(random.normal(0, 9, 72).round(2).tolist()),
    }
    given: dict[str, Any] = {
        "game_id": game_id,
        "date": date,
        "season": 2014,
        "playoffs": False,
        "home": "BOS",
        "away": "MIA",
        "final_home": 101,
        "final_away": 96,
        "expected_margin": 0.1 + 0.2,
    }
    return LearnedGame(**given | course | changes)


NO_COURSE: dict[str, Any] = dict.fromkeys(("margins", "last_score", "dejavu_errors", "lstm_errors"))


@pytest.mark.parametrize("game", [learned(), learned(playoffs=True, **NO_COURSE)])
def test_a_payload_gives_the_game_back_to_the_bit(game: LearnedGame) -> None:
    payload = game.to_payload()
    assert LearnedGame.from_payload(payload) == game
    assert LearnedGame.from_payload(json.loads(json.dumps(payload))) == game
    assert repr(LearnedGame.from_payload(json.loads(json.dumps(payload)))) == repr(game)


@pytest.mark.parametrize(
    "changes",
    [
        {"margins": [0] * 47},
        {"lstm_errors": None},
        {"dejavu_errors": [0.0] * 71},
        {"date": "yesterday"},
        {"final_home": None},
    ],
)
def test_another_payload_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="learned game"):
        LearnedGame.from_payload(learned().to_payload() | changes)
    with pytest.raises(DataError, match="learned game"):
        LearnedGame.from_payload({})


def test_half_a_course_is_refused() -> None:
    with pytest.raises(DataError, match="learned game g1: expected 48 last_score"):
        learned(last_score=None)
    with pytest.raises(DataError, match=r"expected 72 lstm_errors .* got 71"):
        learned(lstm_errors=(0.0,) * 71)
    with pytest.raises(DataError, match="none without"):
        learned(**NO_COURSE | {"last_score": (0,) * 48})


def test_the_ratings_hear_its_final_score_and_its_quarters() -> None:
    game = learned(margins=tuple(range(1, 49)), playoffs=True)
    assert game.finished() == FinishedGame(
        date=DAY,
        home="BOS",
        away="MIA",
        margin=5,
        playoffs=True,
        quarter_margins=(12.0, 24.0, 36.0, 48.0),
    )
    without = replace(game, **NO_COURSE).finished()
    assert without.margin == 5
    assert without.quarter_margins is None


def test_a_table_of_learned_games_is_in_order_and_whole() -> None:
    later = learned("g0", DAY + datetime.timedelta(days=1), final_home=80)
    games = [later, learned("g2"), learned("g1"), learned("g3", **NO_COURSE)]
    table = as_table(games)
    assert table.game_id.tolist() == ["g1", "g2", "g0"]
    assert table.final_margin.tolist() == [5, 5, -16]
    assert tuple(table.margins[2].tolist()) == later.margins
    assert tuple(table.last_score[2].tolist()) == later.last_score
    assert finished_games(table) == [game.finished() for game in (games[2], games[1], later)]


def test_an_empty_table_has_the_types_of_any_other(games: GameTable) -> None:
    empty = as_table([])
    assert len(empty) == 0
    assert empty.margins.shape == empty.last_score.shape == (0, 48)
    for name in ("date", "season", "playoffs", "margins", "last_score", "final_home"):
        assert getattr(empty, name).dtype == getattr(games, name).dtype
