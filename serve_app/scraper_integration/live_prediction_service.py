"""The service as a scraper sees it: hand over what was seen, be called back with predictions.

    with LivePredictionService("http://127.0.0.1:8000", on_prediction=print) as service:
        service.register_game("0022300061", "DEN", "LAL")
        service.process_score_update("0022300061", 1, "11:45", 2, 0)

Nothing here raises into the scraper's loop, and handing over takes no longer than an append to a
queue. A background thread sends. While the service is away the updates wait, in order and bounded
(`serve_app.scraper_integration.update_queue` says what goes first); they go out when it is back.
"""

import atexit
import logging
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from serve_app.client import ForecastClient
from serve_app.client.calls import ITEMS_PER_REQUEST, Moment, checked
from serve_app.client.errors import ClientError, InvalidRequestError, NotFoundError
from serve_app.client.exchange import DEFAULT_TIMEOUT, DEFAULT_URL, Retry
from serve_app.schemas import GameRegistration, GameScoreUpdate, Prediction, Timestamp
from serve_app.scraper_integration.score_sender import Delivery, ScoreSender
from serve_app.scraper_integration.sending_loop import SendingLoop

log = logging.getLogger(__name__)

PredictionCallback = Callable[[Prediction], object]
M = TypeVar("M", bound=BaseModel)

DEFAULT_BACKOFF = Retry(first_wait_seconds=0.5, longest_wait_seconds=15.0)
WAIT_SECONDS = 5.0
"""How long the end of a game, and an interpreter that exits, wait for what is still to be sent."""

_read_moment = TypeAdapter(Timestamp | None).validate_python
# Without a zone a start stays so: its date is the day of the game as it stands.
_read_start = TypeAdapter(datetime | None).validate_python


class LivePredictionService:
    """Takes what a scraper sees and calls back once with each game's prediction.

    Args:
        api_url: address of the service.
        on_prediction: called with each prediction, in the sending thread; what it raises is
            logged. `add_prediction_callback` adds more.
        api_key: sent as `Authorization: Bearer`; needs the scopes `read` and `ingest`. Left out it
            is that of the environment variable HALFTIME_API_KEY, if there is one.
        queue_bound: updates that may wait. A night of 15 games seen every 5 seconds is about
            25,000 updates over 720 game minutes.
        batch_size: updates in one request, 1 to 500.
        linger_seconds: a scoreboard's games come one by one; this long they may gather, to be
            sent as one list.
        backoff: the waits between attempts while the service is away; they never end, so
            `attempts` is not used.
        background: whether a thread sends; without it `flush`, `end_game` and `close` do.
        timeout: seconds for each request.
        transport: replaces the network.
        now: tells the time, for updates that come without.

    Raises:
        ValueError: an address, a key or a number of these is wrong. This is the one place
            that raises: when a scraper is wired, not while it runs.
    """

    def __init__(
        self,
        api_url: str = DEFAULT_URL,
        on_prediction: PredictionCallback | None = None,
        *,
        api_key: str | None = None,
        queue_bound: int = 20_000,
        batch_size: int = 200,
        linger_seconds: float = 0.02,
        backoff: Retry = DEFAULT_BACKOFF,
        background: bool = True,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not 1 <= batch_size <= ITEMS_PER_REQUEST:
            raise ValueError(f"batch_size: expected 1 to {ITEMS_PER_REQUEST}; got {batch_size}")
        self._callbacks = [] if on_prediction is None else [on_prediction]
        self._now = now
        self._closed = False
        # The waits between attempts are the loop's business, not the client's.
        once = Retry(attempts=1)
        self._client = ForecastClient(
            api_url, api_key=api_key, timeout=timeout, retry=once, transport=transport
        )
        self._sender = ScoreSender(
            self._client, on_prediction=self._call_back, bound=queue_bound, batch_size=batch_size
        )
        self._loop = SendingLoop(
            self._sender,
            backoff=backoff,
            linger_seconds=linger_seconds,
            background=background,
            on_stop=self._client.close,
        )
        atexit.register(self.close, WAIT_SECONDS)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r}, waiting={self._sender.waiting})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_prediction_callback(self, callback: PredictionCallback) -> None:
        """Has one more function called with each prediction from now on."""
        self._callbacks.append(callback)

    def register_game(
        self,
        game_id: str,
        home_team: str,
        away_team: str,
        start_time: Moment = None,
        expected_margin: float | None = None,
        *,
        playoffs: bool = False,
    ) -> None:
        """Has a game monitored; the same again is nothing new."""
        fields = {
            "game_id": _id(game_id),
            "home_team": home_team,
            "away_team": away_team,
            "start_time": _moment("start_time", start_time, _read_start),
            "expected_margin": expected_margin,
            "playoffs": playoffs,
        }
        registration = self._readable(GameRegistration, fields)
        if registration is not None:
            self._sender.add_game(registration)

    def process_score_update(  # noqa: PLR0917 - scrapers call it by position
        self,
        game_id: str,
        quarter: int,
        time_remaining: str,
        score_home: int,
        score_away: int,
        timestamp: Moment = None,
    ) -> None:
        """Queues one score update; `timestamp` is when it was seen, now if it is not given.

        Numbers may come as digits in text, as some feeds have them. What no clock or score can
        be is logged and counted as unreadable.
        """
        fields = {
            "game_id": _id(game_id),
            "quarter": _whole(quarter),
            "time_remaining": time_remaining,
            "score_home": _whole(score_home),
            "score_away": _whole(score_away),
            # Of two scores at a stopped clock, the service believes the one seen later.
            "timestamp": _moment("timestamp", timestamp, _read_moment) or self._now(),
        }
        update = self._readable(GameScoreUpdate, fields)
        if update is not None:
            self._sender.add_update(update)

    def get_prediction(self, game_id: str) -> Prediction | None:
        """The game's frozen prediction as the service has it now, outcome included; None if none.

        Where the service does not answer, the one that was heard from it before. Asking takes
        as long as the service does, at most `timeout`.
        """
        try:
            return self._client.prediction(str(game_id))
        except NotFoundError:
            log.debug("game %r: the service has no prediction", game_id)
        except ClientError as error:
            log.warning("game %r: its prediction could not be read: %s", game_id, error)
        except (TypeError, ValueError, RuntimeError) as error:
            log.warning("game %r: its prediction could not be asked for: %r", game_id, error)
        return self._sender.predictions.get(str(game_id))

    def end_game(self, game_id: str, timeout: float = WAIT_SECONDS) -> None:
        """Ends a game once its updates are sent; predicted, actual and error are logged.

        Waits for that at most `timeout` seconds, and not while the service is known to be away:
        the end then goes out when it is back.
        """
        known_as = _id(game_id)
        if not isinstance(known_as, str) or not known_as:
            self._count_unreadable(f"end of a game: game_id: expected text; got {game_id!r}")
        elif self._closed:
            log.warning("game %s: its end came after close and is not sent", known_as)
        else:
            self._sender.add_end(known_as)
            self._loop.wait(
                lambda: not self._sender.is_ending(known_as) or self._loop.failures > 0, timeout
            )

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until all is with the service; False where something still waits.

        Called by a callback, so in the sending thread, it does not wait.
        """
        return self._loop.wait(lambda: self._sender.waiting == 0, timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Sends what waits, for at most `timeout` seconds, and ends; what is left is logged."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if not self.flush(timeout):
            log.error("closed with %d things not sent", self._sender.waiting)
        self._loop.stop()

    @property
    def delivery(self) -> Delivery:
        """What became of all that was handed over, in counts."""
        return replace(self._sender.delivery)

    def _call_back(self, prediction: Prediction) -> None:
        log.info(
            "game %s: halftime margin %+.1f predicted at Q%d %s, %+.1f to %+.1f at %.0f %%",
            prediction.game_id,
            prediction.point_forecast,
            prediction.quarter,
            prediction.time_remaining,
            prediction.interval_lower,
            prediction.interval_upper,
            100 * prediction.coverage_probability,
        )
        for callback in list(self._callbacks):
            try:
                callback(prediction)
            except Exception:
                log.exception("game %s: a prediction callback failed", prediction.game_id)

    def _readable(self, model: type[M], fields: Mapping[str, object]) -> M | None:
        """The request of these fields; None, logged and counted, where it cannot be sent."""
        try:
            request = checked(model, fields)
        except InvalidRequestError as error:
            self._count_unreadable(f"{model.__name__}: {error.problem.detail}")
            return None
        if self._closed:
            log.warning("%s came after close and is not sent", request)
            return None
        return request

    def _count_unreadable(self, what: str) -> None:
        with self._sender.changed:
            self._sender.delivery.unreadable += 1
        log.warning("not sent, %s", what)


def _moment(name: str, value: object, read: Callable[[object], datetime | None]) -> datetime | None:
    """A time as scrapers have it; None for one that cannot be read: the score matters more."""
    try:
        return read(value)
    except ValidationError:
        log.warning("%s is left out: expected a datetime, ISO 8601 or epoch; got %r", name, value)
        return None


def _id(game_id: object) -> object:
    """A game id as text; some feeds number their games."""
    number = isinstance(game_id, int) and not isinstance(game_id, bool)
    return str(game_id) if number else game_id


def _whole(value: object) -> object:
    """A whole number, also from digits in text or another integer type; else as it came."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    try:
        return value if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return value
