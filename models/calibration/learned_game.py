"""Learned games: what one finished game teaches the ratings, the calibration and the library."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from models.errors import DataError
from models.game.games import GameTable
from models.game.horizon import CELLS, REGULATION_MINUTES
from models.ratings.finished_game import FinishedGame, QuarterMargins

_QUARTER = REGULATION_MINUTES // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedGame:
    """One finished game with the errors of its forecasts; plain data, for a store.

    `margins` (48,) and `last_score` (48,) are as in `GameTable`, `expected_margin` is the one its
    forecasts were made with. `dejavu_errors` and `lstm_errors` (72,) are actual − forecast in
    points by `models.game.horizon.CELLS`. The course of a game of which too much is missing teaches
    nothing but its final score: then these four are None.
    """

    game_id: str
    date: datetime.date
    season: int
    playoffs: bool
    home: str
    away: str
    final_home: int
    final_away: int
    expected_margin: float
    margins: tuple[int, ...] | None = None
    last_score: tuple[int, ...] | None = None
    dejavu_errors: tuple[float, ...] | None = None
    lstm_errors: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name, length in (
            ("margins", REGULATION_MINUTES),
            ("last_score", REGULATION_MINUTES),
            ("dejavu_errors", len(CELLS)),
            ("lstm_errors", len(CELLS)),
        ):
            values = getattr(self, name)
            if (values is None) != (self.margins is None) or (
                values is not None and len(values) != length
            ):
                raise DataError(
                    f"learned game {self.game_id}: expected {length} {name} with the course of the "
                    f"game, none without; got {None if values is None else len(values)}"
                )

    @property
    def has_course(self) -> bool:
        """Whether its course is known, and so the errors of its forecasts."""
        return self.margins is not None

    def finished(self) -> FinishedGame:
        """What it tells the ratings."""
        return FinishedGame(
            date=self.date,
            home=self.home,
            away=self.away,
            margin=self.final_home - self.final_away,
            playoffs=self.playoffs,
            quarter_margins=self._quarter_margins(),
        )

    def _quarter_margins(self) -> QuarterMargins | None:
        if self.margins is None:
            return None
        first, second, third, fourth = self.margins[_QUARTER - 1 :: _QUARTER]
        return float(first), float(second), float(third), float(fourth)

    def to_payload(self) -> dict[str, Any]:
        """Plain JSON data that `from_payload` reads back bit for bit."""
        payload: dict[str, Any] = _PAYLOAD.dump_python(self, mode="json")
        return payload

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "LearnedGame":
        """Read back what `to_payload` wrote; raises DataError on anything else."""
        try:
            return _PAYLOAD.validate_python(payload)
        except ValidationError as error:
            raise DataError(
                f"learned game: expected the fields that to_payload writes; {error}"
            ) from error


_PAYLOAD = TypeAdapter(LearnedGame)


def as_table(games: list[LearnedGame]) -> GameTable:
    """Games whose course is known, in order of date, then of game id."""
    ordered = sorted(
        (game for game in games if game.has_course), key=lambda game: (game.date, game.game_id)
    )
    shape = (len(ordered), REGULATION_MINUTES)
    return GameTable(
        game_id=np.asarray([game.game_id for game in ordered], dtype=np.str_),
        date=np.asarray([game.date for game in ordered], dtype="datetime64[D]"),
        season=np.asarray([game.season for game in ordered], dtype=np.int16),
        playoffs=np.asarray([game.playoffs for game in ordered], dtype=np.bool_),
        home=np.asarray([game.home for game in ordered], dtype=np.str_),
        away=np.asarray([game.away for game in ordered], dtype=np.str_),
        margins=np.asarray([game.margins for game in ordered], dtype=np.int16).reshape(shape),
        last_score=np.asarray([game.last_score for game in ordered], dtype=np.int8).reshape(shape),
        final_home=np.asarray([game.final_home for game in ordered], dtype=np.int16),
        final_away=np.asarray([game.final_away for game in ordered], dtype=np.int16),
    )
