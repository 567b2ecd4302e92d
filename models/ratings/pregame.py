"""Pregame accuracy: how well team strength foretells the final margin, beside simple Elo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import DataError
from models.game.games import GameTable
from models.metrics import PairedDifference, mae, paired_difference
from models.ratings.elo import elo_margins
from models.ratings.rating_settings import RatingSettings
from models.ratings.strength import expected_margins


@dataclass(frozen=True, slots=True)
class PregameAccuracy:
    """Mean absolute errors of the final margin in points over `games` games.

    `difference` is strength's error minus Elo's on the same games: below 0, strength is better.
    """

    games: int
    strength_mae: float
    elo_mae: float
    difference: PairedDifference


def pregame_accuracy(
    games: GameTable, seasons: Sequence[int], settings: RatingSettings | None = None
) -> PregameAccuracy:
    """Both ratings walked through `games` and judged on `seasons`.

    Every game is forecast from the games of earlier dates only; both ratings see the same.

    Raises DataError where fewer than two games are of these seasons.
    """
    judged = np.isin(games.season, seasons)
    if judged.sum() < 2:
        raise DataError(
            f"seasons: expected some of {games.seasons()} with 2 games or more; got {list(seasons)}"
        )
    actual = games.final_margin[judged].astype(np.float64)
    strength = expected_margins(games, settings)[judged]
    elo = elo_margins(games)[judged]
    return PregameAccuracy(
        len(actual),
        mae(strength, actual),
        mae(elo, actual),
        paired_difference(strength, elo, actual),
    )
