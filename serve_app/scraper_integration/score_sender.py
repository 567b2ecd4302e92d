"""What waits for the service and how it gets there: registrations, score updates, ends of games.

`ScoreSender.send` makes one round of requests. It knows no thread and never waits: who calls it,
and when again after an error, is the business of `live_prediction_service`.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from models.game.league import NBA
from serve_app.client import ForecastClient
from serve_app.client.errors import (
    NO_TYPE,
    UNKNOWN_GAME,
    ClientError,
    ProblemError,
    is_failure,
    is_refusal,
    problem_error,
)
from serve_app.schemas import (
    EndResult,
    GameRegistration,
    GameScoreUpdate,
    ListItemResult,
    Prediction,
    Problem,
    ScoreResult,
)
from serve_app.scraper_integration.update_queue import QueuedUpdate, UpdateQueue

log = logging.getLogger(__name__)

FAILURES_ALLOWED = 5
"""How often the service may fail on one and the same thing before it is given up."""


@dataclass(slots=True)
class Delivery:
    """What became of all that was handed over, in counts.

    Attributes:
        queued: updates taken into the queue.
        accepted: updates that the service has.
        refused: updates that the service refused, or failed on again and again.
        thinned: updates given up because the queue was full.
        unreadable: calls with values that no score or game has; nothing was queued.
        predictions: games whose prediction was heard.
    """

    queued: int = 0
    accepted: int = 0
    refused: int = 0
    thinned: int = 0
    unreadable: int = 0
    predictions: int = 0


class ScoreSender:
    """Everything on its way to the service, and one round of sending at a time.

    A round: the registrations that wait, one list of updates, the predictions whose answer was
    lost, the ends of games without a waiting update. What the service refuses is logged and
    dropped; at the first error of another kind the round stops, keeps the rest, and raises it.

    Args:
        client: should not repeat by itself; the caller of `send` does.
        on_prediction: called in the sending thread, once for each game; must not raise.
        bound: updates that may wait; beyond it `UpdateQueue` thins.
        batch_size: updates in one request.
    """

    def __init__(
        self,
        client: ForecastClient,
        *,
        on_prediction: Callable[[Prediction], None],
        bound: int,
        batch_size: int,
    ) -> None:
        self.changed = threading.Condition()
        """Guards what is shared below; notified when work comes and when work is done."""
        self.delivery = Delivery()
        self.predictions: dict[str, Prediction] = {}
        self._client = client
        self._on_prediction = on_prediction
        self._batch_size = batch_size
        self._queue = UpdateQueue(bound)
        self._in_flight = 0
        self._alone = 0
        self._games: dict[str, GameRegistration] = {}
        self._to_register: dict[str, None] = {}
        self._to_ask: dict[str, None] = {}
        self._to_end: dict[str, None] = {}
        self._failures: Counter[str] = Counter()
        self._insufficient: set[str] = set()

    # --- handing over -----------------------------------------------------------------------

    def add_game(self, registration: GameRegistration) -> None:
        """Has a game registered; the same content again is nothing new."""
        with self.changed:
            if self._games.get(registration.game_id) != registration:
                self._games[registration.game_id] = registration
                self._to_register[registration.game_id] = None
                self.changed.notify_all()

    def add_update(self, update: GameScoreUpdate) -> None:
        """Queues an update."""
        with self.changed:
            self.delivery.queued += 1
            self._note_thinned(self._queue.append(update))
            self.changed.notify_all()

    def add_end(self, game_id: str) -> None:
        """Has a game ended once its updates are with the service."""
        with self.changed:
            self._to_end[game_id] = None
            self.changed.notify_all()

    def is_ending(self, game_id: str) -> bool:
        """Whether the end of a game still waits."""
        return game_id in self._to_end

    @property
    def waiting(self) -> int:
        """How many things are not yet with the service."""
        with self.changed:
            updates = len(self._queue) + self._in_flight
            return updates + len(self._to_register) + len(self._to_ask) + len(self._to_end)

    # --- one round --------------------------------------------------------------------------

    def send(self) -> None:
        """One round of requests; raises ClientError where the rest has to wait."""
        for game_id in list(self._to_register):
            self._register(game_id)
        self._send_updates()
        for game_id in list(self._to_ask):
            self._ask(game_id)
        for game_id in list(self._to_end):
            if not self._queue.holds(game_id):
                self._end(game_id)

    def _register(self, game_id: str) -> None:
        game = self._games[game_id]
        try:
            self._client.register_game(
                game_id, game.home_team, game.away_team, game.start_time, game.expected_margin
            )
        except ClientError as error:
            self._give_up_or_raise(f"game {game_id}: the registration", error)
        with self.changed:
            if self._games[game_id] == game:  # other content that came meanwhile has to go too
                del self._to_register[game_id]

    def _ask(self, game_id: str) -> None:
        try:
            self._hear_prediction(self._client.prediction(game_id))
        except ClientError as error:
            self._give_up_or_raise(f"game {game_id}: asking for its prediction", error)
        with self.changed:
            del self._to_ask[game_id]

    def _end(self, game_id: str) -> None:
        try:
            end = self._client.end_game(game_id)
        except ClientError as error:
            self._give_up_or_raise(f"game {game_id}: its end", error)
        else:
            if end.prediction is not None:
                self._hear_prediction(end.prediction)
            _log_end(end)
        with self.changed:
            del self._to_end[game_id]
            self._games.pop(game_id, None)
            self.changed.notify_all()

    def _give_up_or_raise(self, what: str, error: ClientError) -> None:
        """Logs what is refused, or failed too often; raises the error where trying again may do."""
        self._failures[what] += is_failure(error)
        if not is_refusal(error) and self._failures[what] < FAILURES_ALLOWED:
            raise error
        del self._failures[what]
        log.warning("%s is given up: %s", what, error)

    # --- the updates of a round -------------------------------------------------------------

    def _send_updates(self) -> None:
        with self.changed:
            batch = self._queue.take(1 if self._alone else self._batch_size)
            self._in_flight = len(batch)
        if not batch:
            return
        self._alone = max(self._alone - 1, 0)
        try:
            results = self._client.post_scores([entry.update for entry in batch])
        except ClientError as error:
            self._after_error(batch, error)
        except BaseException:
            self._put_back(batch)
            raise
        else:
            self._after_answer(batch, results)

    def _after_error(self, batch: list[QueuedUpdate], error: ClientError) -> None:
        """The request failed as a whole: nothing is known of its updates."""
        # The service may have taken them, and the lost answer may have held a prediction.
        past = {entry.update.game_id for entry in batch if _is_past_trigger(entry)}
        self._to_ask |= dict.fromkeys(sorted(past - self.predictions.keys()))
        if len(batch) > 1 and (is_refusal(error) or is_failure(error)):
            self._alone = len(batch)  # one of them may spoil the list: the next go one by one
        elif is_refusal(error) or (is_failure(error) and _is_given_up(batch[0])):
            self._drop(batch.pop(), str(error))
        self._put_back(batch)
        if not is_refusal(error):
            raise error

    def _after_answer(self, batch: list[QueuedUpdate], results: list[ListItemResult]) -> None:
        """Each update has its own result."""
        again: list[QueuedUpdate] = []
        stop: ProblemError | None = None
        for entry, item in zip(batch, results, strict=True):
            if item.result is not None:
                self.delivery.accepted += 1
                self._hear(item.result)
                continue
            error = problem_error(item.problem or _bare_problem(item), status=item.status)
            if self._is_forgotten_game(entry, error) and not _is_given_up(entry):
                self._to_register[entry.update.game_id] = None
                again.append(entry)
            elif is_refusal(error) or (is_failure(error) and _is_given_up(entry)):
                self._drop(entry, str(error))
            else:
                again.append(entry)
                stop = error
        self._put_back(again)
        if stop is not None:
            raise stop

    def _is_forgotten_game(self, entry: QueuedUpdate, error: ProblemError) -> bool:
        """Whether the service does not know a game that was registered here: its store is new."""
        return error.problem.type == UNKNOWN_GAME and entry.update.game_id in self._games

    def _put_back(self, entries: list[QueuedUpdate]) -> None:
        with self.changed:
            self._in_flight = 0
            self._note_thinned(self._queue.restore(entries))
            self.changed.notify_all()

    def _drop(self, entry: QueuedUpdate, why: str) -> None:
        self.delivery.refused += 1
        log.warning("update dropped: %s: %s", entry, why)

    def _note_thinned(self, gone: list[QueuedUpdate]) -> None:
        for entry in gone:
            self.delivery.thinned += 1
            log.warning(
                "the queue of %d updates is full, given up: %s (%d so far)",
                self._queue.bound,
                entry,
                self.delivery.thinned,
            )

    # --- what the answers say ---------------------------------------------------------------

    def _hear(self, result: ScoreResult) -> None:
        if result.flags:
            log.info("game %s: update taken, flagged %s", result.game_id, ", ".join(result.flags))
        if result.prediction is not None:
            self._hear_prediction(result.prediction)
        if result.insufficient_pattern and result.game_id not in self._insufficient:
            self._insufficient.add(result.game_id)
            log.warning(
                "game %s: no prediction, minutes without any update: %s (at most %d allowed)",
                result.game_id,
                result.insufficient_pattern.missing_minutes,
                result.insufficient_pattern.allowed,
            )

    def _hear_prediction(self, prediction: Prediction) -> None:
        if prediction.game_id not in self.predictions:
            self.predictions[prediction.game_id] = prediction
            self.delivery.predictions += 1
            self._on_prediction(prediction)


def _is_past_trigger(entry: QueuedUpdate) -> bool:
    return entry.elapsed_seconds >= NBA.trigger_elapsed


def _is_given_up(entry: QueuedUpdate) -> bool:
    """Counts one more failure on this very update; True when there have been too many."""
    entry.failures += 1
    return entry.failures >= FAILURES_ALLOWED


def _bare_problem(item: ListItemResult) -> Problem:
    return Problem(type=NO_TYPE, title="No reason given", status=item.status, detail="")


def _log_end(end: EndResult) -> None:
    points = (
        "none" if value is None else f"{value:+.1f}"
        for value in (end.predicted, end.actual, end.error)
    )
    log.info("game %s ended: predicted %s, actual %s, error %s", end.game_id, *points)
