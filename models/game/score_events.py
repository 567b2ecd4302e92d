"""Score events: every score change with its game clock, and what stood at each minute's end."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.game.horizon import HALFTIME_MINUTE, REGULATION_MINUTES
from models.game.last_score import last_score_classes
from models.game.league import NBA, SECONDS_PER_MINUTE

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScoreEvents:
    """Score changes in game order, one per clock; arrays (m,).

    `game` is the row of the game in its table, `elapsed` counts seconds from tip-off, overtimes
    included. `margin` is home − away after the event; `side` is 1 where home had scored more
    since the event before, -1 where away had, 0 where neither, or where a score went down.
    """

    game: IntArray
    period: IntArray
    elapsed: FloatArray
    margin: IntArray
    side: IntArray
    scored: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        game: IntArray,
        period: IntArray,
        remaining: FloatArray,
        score_home: IntArray,
        score_away: IntArray,
    ) -> "ScoreEvents":
        """From file columns in any order; of several rows at one clock the last one counts."""
        order = np.lexsort((-remaining, period, game))  # stable: equal clocks keep the file's order
        clock = np.column_stack((game, period, remaining))[order]
        order = order[np.append((clock[1:] != clock[:-1]).any(axis=1), True)]
        game, period, remaining = game[order], period[order], remaining[order]
        first = np.append(True, game[1:] != game[:-1])
        gains = [_gains(score[order], first) for score in (score_home, score_away)]
        regular = np.minimum(period, NBA.quarters) * NBA.quarter_seconds
        overtime = np.maximum(period - NBA.quarters, 0) * NBA.overtime_seconds
        return cls(
            game=game,
            period=period,
            elapsed=regular + overtime - remaining,
            margin=(score_home - score_away)[order],
            side=np.where(np.minimum(*gains) < 0, 0, np.sign(gains[0] - gains[1])),
            scored=(gains[0] != 0) | (gains[1] != 0),
        )

    def unfinished_halves(self, games: int) -> npt.NDArray[np.bool_]:
        """Which of `games` games (n,) have no event at halftime or later."""
        missing = np.ones(games, dtype=np.bool_)
        missing[self.game[self.elapsed >= NBA.halftime_elapsed]] = False
        return missing

    def minute_margins(self, games: int) -> npt.NDArray[np.int16]:
        """Margins (games, 48) at the end of each regulation minute; 0 before the first event."""
        latest = self._latest_row(games, np.ones(len(self.game), dtype=np.bool_))
        margins = np.where(latest < 0, 0, self.margin[np.maximum(latest, 0)])
        return margins.astype(np.int16)

    def last_scores(self, games: int) -> npt.NDArray[np.int8]:
        """Class (games, 48) of the last score before each regulation minute's end."""
        latest = self._latest_row(games, self.scored)
        row = np.maximum(latest, 0)
        ends = np.arange(1, REGULATION_MINUTES + 1) * SECONDS_PER_MINUTE
        return last_score_classes(
            np.where(latest < 0, 0, self.side[row]), ends[None, :] - self.elapsed[row]
        )

    def _latest_row(self, games: int, chosen: npt.NDArray[np.bool_]) -> IntArray:
        """Row (games, 48) of the last chosen event at or before each minute's end; -1 for none."""
        # A minute sees what happened up to its last instant, that instant included; but a free
        # throw at the first instant of the third quarter is after the half.
        minute = np.maximum(np.ceil(self.elapsed / SECONDS_PER_MINUTE).astype(np.int64), 1)
        after_the_half = (self.period > NBA.halftime_quarter) & (minute == HALFTIME_MINUTE)
        minute[after_the_half] = HALFTIME_MINUTE + 1
        (rows,) = np.nonzero(chosen & (self.period <= NBA.quarters))
        latest = np.full((games, REGULATION_MINUTES), -1, dtype=np.int64)
        latest[self.game[rows], minute[rows] - 1] = rows  # in game order: the last one stays
        return np.maximum.accumulate(latest, axis=1)


def check_clocks(
    period: IntArray, remaining: FloatArray, game_id: npt.NDArray[np.str_], source: str
) -> None:
    """Raise DataError on a period or a time remaining that no game clock shows; arrays (m,)."""
    length = np.where(period <= NBA.quarters, NBA.quarter_seconds, NBA.overtime_seconds)
    possible = (period >= 1) & (period <= NBA.last_quarter)
    possible &= (remaining >= 0) & (remaining <= length)
    if not possible.all():
        row = int(np.argmin(possible))
        raise DataError(
            f"{source}: expected periods 1 to {NBA.last_quarter} with 0 to {length[row]} seconds "
            f"remaining; got {remaining[row]:g} in period {period[row]} of game {game_id[row]}"
        )


def _gains(score: IntArray, first: npt.NDArray[np.bool_]) -> IntArray:
    """Points of each event over the event before it; the first of a game starts from 0."""
    before = np.where(first, 0, np.append(0, score[:-1]))
    gained: IntArray = score - before
    return gained
