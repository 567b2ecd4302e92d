"""The client of the forecast service for asyncio programs; see `serve_app.client`."""

import asyncio
import random
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx
from httpx_sse import aconnect_sse

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
) -> "Callable[Concatenate[AsyncForecastClient, P], Coroutine[Any, Any, T]]":
    """A route as a method of the async client."""

    async def method(self: "AsyncForecastClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._send(build(*args, **kwargs))

    describe(method, build)
    return method


class AsyncForecastClient:
    """`ForecastClient` to await: same arguments, methods and errors; `aclose` for `close`."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float | httpx.Timeout = DEFAULT_TIMEOUT,
        retry: Retry = DEFAULT_RETRY,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        self._url = checked_url(base_url)
        self._retry = retry
        self._sleep = sleep
        self._uniform = uniform
        self._http = httpx.AsyncClient(
            base_url=self._url, headers=auth_headers(api_key), timeout=timeout, transport=transport
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _send(self, call: Call[T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            outcome: httpx.Response | httpx.HTTPError
            try:
                outcome = await self._http.request(**call.request())
            except httpx.HTTPError as error:
                outcome = error
            step = judge(call, outcome, attempt=attempt, retry=self._retry, draw=self._uniform())
            if isinstance(step, Answered):
                return step.answer
            await self._sleep(step.seconds)

    async def _send_all(self, chunks: list[Call[list[T]]]) -> list[T]:
        return [answer for call in chunks for answer in await self._send(call)]

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

    async def predict_batch(
        self, requests: Sequence[PredictRequest | Mapping[str, Any]]
    ) -> list[Forecast | Problem]:
        """As `ForecastClient.predict_batch`."""
        return await self._send_all(calls.predict_batch(requests))

    async def post_scores(
        self, updates: Sequence[GameScoreUpdate | Mapping[str, Any]]
    ) -> list[ListItemResult]:
        """As `ForecastClient.post_scores`."""
        return [result for call in calls.post_scores(updates) for result in await self._send(call)]

    async def iter_predictions(
        self, since: int = 0, limit: int = PAGE_SIZE
    ) -> AsyncIterator[Prediction]:
        """The prediction log, oldest first, fetched in pages of `limit`."""
        while (page := await self.predictions(since, limit)).predictions:
            for prediction in page.predictions:
                yield prediction
            since = page.next_since

    async def watch(
        self, since: int | None = None, *, games: Sequence[str] = (), types: Sequence[str] = ()
    ) -> AsyncGenerator[AnyMessage, None]:
        """As `ForecastClient.watch`."""
        listening = Listening(since, games, types)
        while True:
            failure: httpx.HTTPError | ClientError | None = None
            try:
                async with aconnect_sse(self._http, **listening.request()) as source:
                    if not is_events(source.response):
                        await source.response.aread()
                        listening.refuse(source.response)
                    async for event in source.aiter_sse():
                        message = listening.take(event)
                        if message is not None:
                            yield message
            except (httpx.HTTPError, ClientError) as error:
                failure = error
            await self._sleep(listening.pause(failure, self._retry, self._uniform()))
