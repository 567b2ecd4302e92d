import json
import math
from datetime import date

import pytest

from models.errors import DataError
from models.ratings.finished_game import FinishedGame
from models.ratings.rating_settings import RatingSettings

SETTINGS = RatingSettings(quarter_weights=(2.0, 1.0, 1.0, 0.5))


def game(quarter_margins: tuple[float, float, float, float] | None) -> FinishedGame:
    return FinishedGame(
        date=date(2024, 1, 1), home="BOS", away="MIA", margin=9, quarter_margins=quarter_margins
    )


def test_a_result_is_its_quarters_weighted_and_overtime_in_full() -> None:
    # Quarters of +4, -2, +4 and -6, then nine points in overtime.
    assert SETTINGS.observed_margin(game((4, 2, 6, 0))) == 2 * 4 - 2 + 4 - 0.5 * 6 + 9


def test_without_quarters_it_is_the_final_margin() -> None:
    assert SETTINGS.observed_margin(game(None)) == 9


def test_settings_survive_json() -> None:
    assert RatingSettings(**json.loads(json.dumps(SETTINGS.to_state()))) == SETTINGS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"game_sd": 0.0}, "game_sd above 0"),
        ({"summer_sd": -1.0}, "summer_sd of 0 or more; got -1"),
        ({"daily_sd": math.nan}, "daily_sd of 0 or more; got nan"),
        ({"carry_over": 1.5}, "carry_over from 0 to 1; got 1.5"),
        ({"quarter_weights": (1.0, 1.0)}, "4 quarter weights"),
    ],
)
def test_impossible_settings_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        RatingSettings(**change)  # type: ignore[arg-type]
