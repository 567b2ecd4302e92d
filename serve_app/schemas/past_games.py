"""Past games as they are answered: one of the library, and those most similar to a live one."""

from datetime import date

from serve_app.schemas.answers import Answer


class PastGame(Answer):
    """One game of the library.

    `margins` (48) are those at the end of game minutes 1..48, home − away in points; the final
    score includes overtime. `expected_margin` is what was expected before it began, `season` its
    starting year.
    """

    game_id: str
    date: date
    season: int
    playoffs: bool
    home_team: str
    away_team: str
    final_home: int
    final_away: int
    expected_margin: float
    margins: list[int]
    halftime_margin: int
    final_margin: int


class SimilarPastGame(Answer):
    """A past game that was like a live one up to the same minute; `margins` (48) as in `PastGame`.

    `distance` is the one that the search orders by (`models.forecasters.dejavu`).
    """

    game_id: str
    date: date
    home_team: str
    away_team: str
    distance: float
    margins: list[int]
    halftime_margin: int
    final_margin: int


class SimilarPastGames(Answer):
    """The past games most like a live one, nearest first.

    They are compared at the end of its last whole `minute` (1 to 47), when it had this `margin`.
    """

    game_id: str
    minute: int
    margin: float
    games: list[SimilarPastGame]
