"""The blocking clients; `serve_app.client` says what they share."""

import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx
from httpx_sse import connect_sse

from serve_app.client import calls
from serve_app.client.calls import PAGE_SIZE
from serve_app.client.errors import ClientError
from serve_app.client.exchange import (
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    DEFAULT_URL,
    Answered,
    Call,
    Retry,
    auth_headers,
    checked_url,
    describe,
    judge,
)
from serve_app.client.listening import Listening, is_events
from serve_app.schemas import (
    AnyMessage,
    Forecast,
    GameScoreUpdate,
    ListItemResult,
    Prediction,
    PredictRequest,
    Problem,
)

P = ParamSpec("P")
T = TypeVar("T")


def _method(
    build: Callable[P, Call[T]],
) -> "Callable[Concatenate[ForecastClient, P], T]":
    """A route as a method of the sync client."""

    def method(self: "ForecastClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(build(*args, **kwargs))

    describe(method, build)
    return method


class ForecastClient:
    """The HTTP contract, one method a route; safe to share between threads.

    Args:
        base_url: address of the service, a path prefix included if it has one.
        api_key: sent as `Authorization: Bearer`; in no URL, message or representation. Left out
            it is that of the environment variable HALFTIME_API_KEY, if there is one.
        timeout: seconds for each attempt, or `httpx.Timeout` for its parts.
        retry: how often to try and how long to wait between.
        transport: replaces the network, for tests and proxies.
        sleep: waits so many seconds between attempts.
        uniform: draws from [0, 1) for the jitter.

    Every method raises an error of `serve_app.client.errors`; InvalidRequestError for a wrong
    argument comes before anything is sent. Arguments and answers: `serve_app.client.calls`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        retry: Retry = DEFAULT_RETRY,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._url = checked_url(base_url)
        self._retry = retry
        self._sleep = sleep
        self._uniform = uniform
        self._http = httpx.Client(
            base_url=self._url, headers=auth_headers(api_key), timeout=timeout, transport=transport
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            outcome: httpx.Response | httpx.HTTPError
            try:
                outcome = self._http.request(**call.request())
            except httpx.HTTPError as error:
                outcome = error
            step = judge(call, outcome, attempt=attempt, retry=self._retry, draw=self._uniform())
            if isinstance(step, Answered):
                return step.answer
            self._sleep(step.seconds)

    def _send_all(self, chunks: list[Call[list[T]]]) -> list[T]:
        return [answer for call in chunks for answer in self._send(call)]

    predict = _method(calls.predict)
    register_game = _method(calls.register_game)
    post_score = _method(calls.post_score)
    end_game = _method(calls.end_game)
    games = _method(calls.games)
    game = _method(calls.game)
    prediction = _method(calls.prediction)
    course = _method(calls.course)
    similar_games = _method(calls.similar_games)
    past_game = _method(calls.past_game)
    predictions = _method(calls.predictions)
    predictions_jsonl = _method(calls.predictions_jsonl)
    predictions_parquet = _method(calls.predictions_parquet)
    accuracy = _method(calls.accuracy)
    accuracy_days = _method(calls.accuracy_days)
    health = _method(calls.health)
    ready = _method(calls.ready)
    models = _method(calls.models)

    def predict_batch(
        self, requests: Sequence[PredictRequest | Mapping[str, Any]]
    ) -> list[Forecast | Problem]:
        """POST /predict/batch: a forecast for each pattern, in order, or the problem it has.

        A dictionary travels as it is, and a bad one spoils only itself.
        """
        return self._send_all(calls.predict_batch(requests))

    def post_scores(
        self, updates: Sequence[GameScoreUpdate | Mapping[str, Any]]
    ) -> list[ListItemResult]:
        """POST /scores: a result for each update, in order; long lists go in several requests.

        A dictionary travels as it is, and a bad one spoils only itself. Where a later request
        fails, its error is raised and the earlier ones are with the service; posting the whole
        list again is safe.
        """
        return self._send_all(calls.post_scores(updates))

    def iter_predictions(self, since: int = 0, limit: int = PAGE_SIZE) -> Iterator[Prediction]:
        """The prediction log, oldest first, fetched in pages of `limit`."""
        while (page := self.predictions(since, limit)).predictions:
            yield from page.predictions
            since = page.next_since

    def watch(
        self, since: int | None = None, *, games: Sequence[str] = (), types: Sequence[str] = ()
    ) -> Generator[AnyMessage, None]:
        """The live feed: a snapshot, then each change, for as long as it is read.

        A connection that is lost is replaced, with the pauses of `retry` but without an end to its
        attempts, and goes on from the last message: none is missed and none comes twice. After
        23 hours away, or more messages than are kept, there is a snapshot again, which says so in
        `unknown_since`.

        Args:
            since: the `seq` of the last message that is known already; None for a snapshot.
            games: only these.
            types: only these kinds of change, such as `prediction`.
        """
        listening = Listening(since, games, types)
        while True:
            failure: httpx.HTTPError | ClientError | None = None
            try:
                with connect_sse(self._http, **listening.request()) as source:
                    if not is_events(source.response):
                        source.response.read()
                        listening.refuse(source.response)
                    for event in source.iter_sse():
                        message = listening.take(event)
                        if message is not None:
                            yield message
            except (httpx.HTTPError, ClientError) as error:
                failure = error
            self._sleep(listening.pause(failure, self._retry, self._uniform()))


class NBAForecastClient:
    """The client under its older name: answers are the dictionaries of the HTTP contract.

    `ForecastClient` has the whole contract; errors are the same.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._client = ForecastClient(
            base_url, api_key=api_key, timeout=timeout, transport=transport
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def predict(
        self, pattern: Sequence[float], alpha: float = 0.05, return_explanation: bool = True
    ) -> dict[str, Any]:
        """The forecast for 18 margins: `point_forecast`, `interval_lower`, `interval_upper` ..."""
        forecast = self._client.predict(pattern, alpha, return_explanation)
        return forecast.model_dump(mode="json")

    def health_check(self) -> dict[str, Any]:
        """`{"status": "ok"}`; raises UnreachableError where the service does not answer."""
        return self._client.health().model_dump(mode="json")
