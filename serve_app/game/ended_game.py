"""Ended games: what the service saw of a game that is over, for the models to learn from."""

import datetime
import json
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedGame:
    """One game that is over and whose final score is known; margins are home − away in points.

    `margins` (48) are those at the end of game minutes 1..48, `last_score` (48) the classes of the
    last scores then (`models.game.last_score`). Both are None where too many minutes went unseen:
    the game then teaches nothing but its final score. `season` is the starting year,
    `expected_margin` the caller's where one was given.
    """

    game_id: str
    date: datetime.date
    season: int
    playoffs: bool
    home: str
    away: str
    expected_margin: float | None
    final_home: int
    final_away: int
    margins: tuple[int, ...] | None
    last_score: tuple[int, ...] | None

    def to_json(self) -> str:
        """As JSON text that `from_json` reads back."""
        return json.dumps({**asdict(self), "date": self.date.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what `to_json` wrote."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(text).items()
        }
        return cls(**{**fields, "date": datetime.date.fromisoformat(fields["date"])})
