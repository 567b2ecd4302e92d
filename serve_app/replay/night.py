"""The games of one date on their schedule, and the seasons that are nights one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import groupby
from operator import attrgetter

from serve_app.replay.noise import NoiseLog, NoiseRates, add_noise
from serve_app.replay.pace import MS
from serve_app.replay.poll_stream import Until, Update, poll_stream
from serve_app.replay.recording import Recording

EASTERN = timezone(timedelta(hours=-5))
FIRST_TIP_OFF = time(19, 0, tzinfo=EASTERN)
SLOT_SECONDS = 1800  # a slot of tip-offs every half hour ...
SLOTS = 8  # ... from 19:00 to 22:30 Eastern time
WITHIN_SLOT_SECONDS = 40  # two games of a slot do not tip off at the same second


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How recordings become updates.

    `prefix` is put before each game id, so that a night can be played again on the same store.
    `noise` is None for a clean stream; `seed` fixes what the noise does.
    """

    until: Until = "final"
    prefix: str = ""
    noise: NoiseRates | None = None
    seed: int = 7


@dataclass(frozen=True, slots=True)
class ScheduledGame:
    """One game of a night: when it tips off (epoch ms) and what a scraper sends of it."""

    game_id: str
    recording: Recording
    tip_off_ms: int
    updates: list[Update]
    noise: NoiseLog

    @property
    def start_time(self) -> str:
        """Tip-off in ISO 8601."""
        return datetime.fromtimestamp(self.tip_off_ms / MS, UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Night:
    """All games of one date."""

    date: date
    games: list[ScheduledGame]

    def updates(self) -> list[Update]:
        """The updates of all games in the order in which they are sent."""
        merged = [update for game in self.games for update in game.updates]
        merged.sort(key=attrgetter("sent_ms"))  # stable: a game's own order stays
        return merged


def tip_off(day: date, place: int) -> int:
    """Tip-off (epoch ms) of the game at `place` (from 0) among those of `day`.

    The data has dates only. Games go round the half-hour slots from 19:00 Eastern.
    """
    offset = place % SLOTS * SLOT_SECONDS + place * WITHIN_SLOT_SECONDS
    moment = datetime.combine(day, FIRST_TIP_OFF) + timedelta(seconds=offset)
    return int(moment.timestamp()) * MS


def nights(recordings: Sequence[Recording], plan: Plan) -> Iterator[Night]:
    """The nights of `recordings` (sorted by date), each one laid out only when it is asked for."""
    for day, games in groupby(recordings, key=attrgetter("date")):
        scheduled = [schedule(game, tip_off(day, place), plan) for place, game in enumerate(games)]
        yield Night(day, scheduled)


def schedule(recording: Recording, tip_off_ms: int, plan: Plan) -> ScheduledGame:
    """One game laid out from its tip-off under `plan`."""
    game_id = plan.prefix + recording.game_id
    updates = poll_stream(recording, tip_off_ms, game_id=game_id, until=plan.until)
    log = NoiseLog()
    if plan.noise is not None:
        updates, log = add_noise(updates, plan.seed, plan.noise)
    return ScheduledGame(game_id, recording, tip_off_ms, updates, log)
