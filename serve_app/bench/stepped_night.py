"""Real games that are posted as far as is asked for: by game clock, whatever time that takes."""

from collections.abc import Sequence
from itertools import chain, groupby
from operator import itemgetter

import numpy as np

from models.game.league import NBA, SECONDS_PER_MINUTE
from serve_app.client import ForecastClient
from serve_app.replay.demo import NIGHT_DATE, NIGHT_FOLDER
from serve_app.replay.errors import RefusedError
from serve_app.replay.night import Plan, ScheduledGame, nights
from serve_app.replay.pace import MS, IntArray
from serve_app.replay.poll_stream import clock_text
from serve_app.replay.recording import Recording, Selection, load_recordings

MINUTE_MS = SECONDS_PER_MINUTE * MS

Post = tuple[int, dict[str, object]]


class SteppedGame:
    """One real game; `to` gives what a scraper sees up to a clock, in milliseconds of the game.

    That is each change of the score, the score at the end of each minute, and the one at that
    clock, so that it shows exactly there.
    """

    def __init__(self, scheduled: ScheduledGame) -> None:
        recording = scheduled.recording
        self.game_id = scheduled.game_id
        self.home, self.away = recording.home, recording.away
        self.start_time = scheduled.start_time
        self._at = _elapsed(recording)
        self._changes = self._at[recording.changes()]
        self._scores = (recording.score_home.tolist(), recording.score_away.tolist())
        self.end = NBA.start_elapsed(recording.periods + 1) * MS
        self._reached = 0
        self._sequence = 0

    def to(self, elapsed: int) -> list[Post]:
        """The updates after those of the last call, each with its moment."""
        elapsed = min(elapsed, self.end)
        minutes = range(0, elapsed, MINUTE_MS)
        moments = {*self._changes.tolist(), *minutes, elapsed}
        posts = [self._post(at) for at in sorted(moments) if self._reached < at <= elapsed]
        self._reached = max(self._reached, elapsed)
        return posts

    def score_at(self, elapsed: int) -> tuple[int, int]:
        """The score of home and away then."""
        seen = int(np.searchsorted(self._at, elapsed, side="right"))
        return (self._scores[0][seen - 1], self._scores[1][seen - 1]) if seen else (0, 0)

    def _post(self, elapsed: int) -> Post:
        home, away = self.score_at(elapsed)
        quarter = 1
        while NBA.start_elapsed(quarter + 1) * MS < elapsed:
            quarter += 1
        self._sequence += 1
        return elapsed, {
            "game_id": self.game_id,
            "quarter": quarter,
            "time_remaining": clock_text(NBA.start_elapsed(quarter + 1) * MS - elapsed),
            "score_home": home,
            "score_away": away,
            "sequence": self._sequence,
        }


class SteppedNight:
    """The first games of the demo's night, under ids of their own, registered and then played."""

    def __init__(self, client: ForecastClient, *, games: int, prefix: str = "") -> None:
        files = (NIGHT_FOLDER / "games.parquet", NIGHT_FOLDER / "events.parquet")
        recordings = load_recordings(*files, Selection(date=NIGHT_DATE))[:games]
        (night,) = nights(recordings, Plan(prefix=prefix))
        self._client = client
        self.games = [SteppedGame(game) for game in night.games]

    def register(self) -> None:
        """Have them monitored."""
        for game in self.games:
            self._client.register_game(game.game_id, game.home, game.away, game.start_time)

    def play_to(self, elapsed_seconds: int, games: Sequence[SteppedGame] | None = None) -> None:
        """Post these games, or all, up to a game clock in seconds elapsed; raises RefusedError.

        A list holds one minute of them: no scraper comes with half a game at once.
        """
        chosen = self.games if games is None else games
        posts = chain.from_iterable(game.to(elapsed_seconds * MS) for game in chosen)
        in_order = sorted(posts, key=itemgetter(0))
        for _, minute in groupby(in_order, key=lambda post: -(-post[0] // MINUTE_MS)):
            self._post([update for _, update in minute])

    def _post(self, updates: list[dict[str, object]]) -> None:
        for result in self._client.post_scores(updates):
            if result.problem is not None:
                raise RefusedError(f"expected every score to be taken; got {result.problem}")

    def end(self, games: Sequence[SteppedGame] | None = None) -> None:
        """Play these, or all, to their last buzzers, overtimes too, and end them."""
        chosen = self.games if games is None else games
        self.play_to(max(game.end for game in chosen) // MS, chosen)
        for game in chosen:
            self._client.end_game(game.game_id)


def _elapsed(recording: Recording) -> IntArray:
    """Milliseconds of game time at each event of a recording."""
    starts = [NBA.start_elapsed(quarter) * MS for quarter in recording.period.tolist()]
    return np.asarray(starts) + recording.played
