"""The course of a monitored game as it is answered: what was seen of it, and what was forecast."""

from serve_app.schemas.answers import Answer


class MarginAt(Answer):
    """The margin (home − away, points) from so many game seconds on, overtimes counted."""

    elapsed_seconds: float
    margin: int


class ForecastAt(Answer):
    """What was forecast when so many game seconds were played; points, `margin` the one known then.

    `win_probability` is home's. There is no `halftime_point` after the first half.
    """

    elapsed_seconds: float
    margin: float
    halftime_point: float | None = None
    final_point: float
    win_probability: float | None = None


class GameCourse(Answer):
    """A game so far, both lists in the order of game time.

    `margins` are as they are known now, corrections applied: the first that was seen, each change,
    and the latest; two in a row may share a second, the end of a quarter and the start of the next.
    `forecasts` are the running ones as they were made, at most one in 15 s of game time.
    """

    game_id: str
    home_team: str
    away_team: str
    margins: list[MarginAt]
    forecasts: list[ForecastAt]
