"""Finished games: what one result tells the ratings."""

import datetime
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.game.games import GameTable
from models.game.league import NBA, SECONDS_PER_MINUTE
from models.ratings.franchise import franchise

QuarterMargins = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedGame:
    """One result; margins are home − away in points.

    `margin` is the final one, overtime included. `quarter_margins` are those at the end of the four
    quarters, where they are known. Team codes may be of any year or feed.
    """

    date: datetime.date
    home: str
    away: str
    margin: float
    playoffs: bool = False
    quarter_margins: QuarterMargins | None = None

    def franchises(self) -> tuple[str, str]:
        """The present codes of home and away."""
        return franchise(self.home), franchise(self.away)


def finished_games(games: GameTable) -> list[FinishedGame]:
    """The games of a table, in its order."""
    minutes = NBA.quarter_seconds // SECONDS_PER_MINUTE
    quarters = games.margins[:, minutes - 1 :: minutes].tolist()
    columns = (
        games.date.astype("datetime64[D]").tolist(),
        games.home.tolist(),
        games.away.tolist(),
        games.final_margin.tolist(),
        games.playoffs.tolist(),
        map(tuple, quarters),
    )
    return [
        FinishedGame(
            date=date, home=home, away=away, margin=margin, playoffs=playoffs, quarter_margins=ends
        )
        for date, home, away, margin, playoffs, ends in zip(*columns, strict=True)
    ]


def days_of(games: GameTable) -> list[slice]:
    """The rows of each date, in order."""
    starts = np.flatnonzero(np.diff(games.date, prepend=np.datetime64("NaT", "D")) != 0)
    bounds = [*starts.tolist(), len(games)]
    return [slice(start, stop) for start, stop in pairwise(bounds)]
