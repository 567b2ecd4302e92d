"""Nights rebuilt from the journal: the same updates in the same order give the same predictions.

Each game is played again, alone and in order, as the journal has it. Where the journal says that a
prediction or a revision was made, the forecast is made anew from what was known at that update, by
the same bundle with the same learned games, and held against the stored one, every digit of it.
"""

import datetime
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from models.calibration.learned_game import LearnedGame
from models.errors import DataError
from models.forecasters.forecaster import Forecaster
from models.training.bundle import Bundle
from serve_app.game.due_forecast import DueForecast
from serve_app.game.game_session import GameSession
from serve_app.model.forecast_answer import as_answer
from serve_app.schemas import Forecast, Outcome, Prediction, Revision
from serve_app.shards.running_forecasts import request_of
from serve_app.shards.session_journal import observation_of, sums_of
from serve_app.storage.games import StoredGame
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store


@dataclass(slots=True, kw_only=True)
class StoreReplay:
    """What a replay from the store found.

    `differing` names every prediction, revision and game state that is not the same again, and
    says how; `not_comparable` those made by another bundle, or after learning games that are gone.
    """

    games: int = 0
    updates: int = 0
    predictions: int = 0
    revisions: int = 0
    same: int = 0
    differing: list[str] = field(default_factory=list)
    not_comparable: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As it goes into a report."""
        return asdict(self)


@dataclass(slots=True)
class _Game:
    """A game that is played again: its session, and the journal rows of its forecasts."""

    stored: StoredGame
    session: GameSession
    rows: Sequence[JournalRow]
    made: dict[int, list[tuple[str, Forecast]]]  # by the number of updates that were known


class Pacing:
    """Plays rows at a multiple of the pace at which they came; None as fast as it goes."""

    def __init__(
        self,
        speed: float | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._speed = speed
        self._now = now
        self._sleep = sleep
        self._begun: tuple[float, float] | None = None

    def wait_for(self, moment: float) -> None:
        """Wait until a row of this epoch second is due."""
        if self._speed is None:
            return
        first, begun = self._begun = self._begun or (moment, self._now())
        self._sleep(max(0.0, begun + (moment - first) / self._speed - self._now()))


class StoredNights:
    """Plays games of a store again with a bundle.

    `similar` and the alphas are those of the stored forecasts. Raises BundleError and StoreError.
    """

    def __init__(
        self, store: Store, bundle: Bundle, *, device: Literal["auto", "cpu", "cuda"] = "auto"
    ) -> None:
        self._store = store
        self._bundle = bundle
        self._device = device
        self._forecasters: dict[tuple[datetime.date | None, int], Forecaster | None] = {}
        self.report = StoreReplay()

    def play(
        self,
        game_ids: Iterable[str],
        *,
        wait_for: Callable[[float], object] = lambda _: None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> StoreReplay:
        """Play games again, in the order of the journal.

        `wait_for` is called with the epoch second of each row before it is played, `tell` with a
        line on each forecast. Raises DataError where there is no such game.
        """
        games = {game_id: self._game(game_id) for game_id in game_ids}
        rows = sorted((row for game in games.values() for row in game.rows), key=lambda r: r.seq)
        for row in rows:
            wait_for(row.time)
            self._take(games[row.game_id], row, tell)
        for game_id, game in games.items():
            self._compare_state(game_id, game)
        self.report.games += len(games)
        return self.report

    def _game(self, game_id: str) -> _Game:
        stored = self._store.games.get(game_id)
        if stored is None:
            raise DataError(f"game {game_id!r}: expected one of the store; it has none of this id")
        rows = self._store.journal_of(stored)
        made: dict[int, list[tuple[str, Forecast]]] = {}
        for row in rows:
            if row.type in {"prediction", "revision"}:
                payload = json.loads(row.payload)
                told = payload[row.type]
                forecast = told["forecast"] if row.type == "revision" else told
                known = {name: forecast[name] for name in Forecast.model_fields if name in forecast}
                kind = told.get("reason", "prediction")
                made.setdefault(payload["updates"], []).append(
                    (kind, Forecast.model_validate(known))
                )
        return _Game(stored, GameSession(stored.registration, stored.day), rows, made)

    def _take(self, game: _Game, row: JournalRow, tell: Callable[[str], object]) -> None:
        session = game.session
        match row.type:
            case "score":
                session.observe(observation_of(row.payload, game.stored.registration.league))
                session.last_received = row.time
                self.report.updates += 1
                for kind, forecast in game.made.pop(session.updates, ()):
                    tell(self._make_again(row.game_id, session, kind, forecast))
            case "prediction":
                session.freeze(Prediction.model_validate(_told(row)))
            case "revision":
                session.revise(Revision.model_validate(_told(row)))
            case "outcome":
                session.resolve(Outcome.model_validate(_told(row)))
            case "ended":
                session.end()

    def _make_again(self, game_id: str, session: GameSession, kind: str, stored: Forecast) -> str:
        """Make a forecast anew and compare; returns a line about it."""
        if kind == "prediction":
            self.report.predictions += 1
        else:
            self.report.revisions += 1
        what = f"game {game_id}, {kind} after {session.updates} updates"
        due = session.forecast_at_trigger("prediction")
        forecaster = self._forecaster(session.day, stored)
        if forecaster is None:
            self.report.not_comparable.append(
                f"{what}: made by {stored.calibration_version}; the bundle is "
                f"{self._bundle.model_version}"
            )
            return self.report.not_comparable[-1]
        again = None if due is None else _forecast(forecaster, due, stored)
        if again == stored:
            self.report.same += 1
            return f"{what}: the same again, {stored.point_forecast:+.2f}"
        found = "none is due" if again is None else f"{_differences(stored, again)}"
        self.report.differing.append(f"{what}: expected the stored forecast; got {found}")
        return self.report.differing[-1]

    def _compare_state(self, game_id: str, game: _Game) -> None:
        expected, got = game.stored.sums, sums_of(game.session)
        if self._store.predictions.get(game_id) != game.session.prediction:
            self.report.differing.append(
                f"game {game_id}: expected the journaled prediction, revisions and outcome in the "
                "prediction log; got others"
            )
        if game.made:
            self.report.differing.append(
                f"game {game_id}: forecasts were made after updates {sorted(game.made)}; expected "
                f"so many updates in the journal; got {game.session.updates}"
            )
        # The last update's arrival may be a repeat's, which is not journaled.
        if expected is not None and (expected.state, expected.updates, expected.corrections) != (
            got.state,
            got.updates,
            got.corrections,
        ):
            self.report.differing.append(f"game {game_id}: expected {expected}; got {got}")

    def _forecaster(self, day: datetime.date | None, stored: Forecast) -> Forecaster | None:
        """The bundle after the learned games that it knew then; None where that is not this one."""
        _, _, count = (stored.calibration_version or "").rpartition("+")
        if stored.model_version != self._bundle.model_version or not count.isdecimal():
            return None
        key = (day, int(count))
        if key not in self._forecasters:
            self._forecasters[key] = self._as_of(day, int(count))
        return self._forecasters[key]

    def _as_of(self, day: datetime.date | None, known: int) -> Forecaster | None:
        adaptation = self._bundle.adaptation()
        rows = self._store.lessons.learned_games(self._bundle.model_version)
        for row in rows:
            if adaptation.before(day).games == known:
                break
            adaptation.learn([LearnedGame.from_payload(json.loads(row.payload))])
        if adaptation.before(day).games != known:
            return None
        return self._bundle.load_forecaster(self._device, adaptation)


def _forecast(forecaster: Forecaster, due: DueForecast, stored: Forecast) -> Forecast:
    alpha = round(1.0 - stored.coverage_probability, 12)
    similar = len(stored.explanation.similar_games) if stored.explanation else 0
    (made,) = forecaster.forecast([request_of(due, "halftime", alpha)], similar=similar)
    return as_answer(made, explain=stored.explanation is not None)


def _differences(stored: Forecast, again: Forecast) -> dict[str, tuple[object, object]]:
    """The fields that differ: as stored, as made again."""
    return {
        name: (getattr(stored, name), getattr(again, name))
        for name in Forecast.model_fields
        if getattr(stored, name) != getattr(again, name)
    }


def _told(row: JournalRow) -> Any:  # noqa: ANN401 - JSON
    """What a row of a prediction, a revision or an outcome holds of it."""
    return json.loads(row.payload)[row.type]
