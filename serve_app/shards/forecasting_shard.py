"""A shard that forecasts: scores in, with the forecasts of its games that fall due by them."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from models.forecasters.forecaster import ForecastRequest
from serve_app.api.problems import PredictionNotMade, ServiceProblem
from serve_app.game.due_forecast import DueForecast
from serve_app.model.forecast_answer import as_answer
from serve_app.model.placement import NearPlacement
from serve_app.schemas import Forecast, Prediction, ScoreResult
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import GroupCommit
from serve_app.shards.running_forecasts import RunningForecasts, request_of
from serve_app.shards.running_pace import Wait
from serve_app.shards.shard_messages import Applied, MadeForecast, Update

logger = logging.getLogger(__name__)

T = TypeVar("T")
MOST_WAITING = 1_000  # calls that may wait for one shard


class ForecastingShard:
    """Commits what the games of a shard are told, and makes their forecasts with `placement`.

    `committed` is told how many seconds each commit took, `stored` in how many seconds after its
    updates came a prediction was on disk.
    """

    def __init__(
        self,
        shard: GameShard,
        placement: NearPlacement,
        settings: Settings,
        *,
        committed: Callable[[float], object] = lambda _: None,
        stored: Callable[[float], object] = lambda _: None,
    ) -> None:
        self._shard = shard
        self._placement = placement
        self._settings = settings
        self._note_stored = stored
        self._commits = GroupCommit(shard.writing, most_waiting=MOST_WAITING, committed=committed)
        self._running = RunningForecasts(self, placement, alpha=settings.alpha)

    async def run(self, operation: Callable[[], T]) -> T:
        """What an operation on the shard answers, in a commit shared with all that waits."""
        return await self._commits.run(operation)

    async def settle(self) -> None:
        """Wait until no work goes on behind the answers."""
        await self._running.settle()

    async def post_scores(self, updates: Sequence[Update]) -> list[ScoreResult | ServiceProblem]:
        """Take updates over any games, and make the forecasts that fell due by them.

        The update that crossed the trigger carries the prediction in its result; where that could
        not be made then, the first one after it. Running forecasts are made behind the answer.
        """
        came = time.perf_counter()
        applied, predictions = await self._commit(updates)
        dues = _dues(applied)
        for due in dues:
            if due.game_id in predictions:
                self._note(due, came)
        waiting = [due for due in dues if due.game_id not in predictions]
        predictions |= await self._make(waiting, came)
        self._running.take(item.running for item in applied if isinstance(item, Applied))
        results: list[ScoreResult | ServiceProblem] = []
        for item in applied:
            if isinstance(item, ServiceProblem):
                results.append(item)
                continue
            made = predictions.pop(item.due.game_id, None) if item.due else None
            results.append(item.result.model_copy(update={"prediction": made} if made else {}))
        return results

    async def _commit(
        self, updates: Sequence[Update]
    ) -> tuple[list[Applied | ServiceProblem], dict[str, Prediction]]:
        """Take updates, and in the same commit the forecasts that can be made at once.

        Where these fail, whatever it is, the updates are taken without them: no forecast keeps a
        score out.
        """
        with_forecasts = False

        def take() -> tuple[list[Applied | ServiceProblem], dict[str, Prediction]]:
            nonlocal with_forecasts
            applied = self._shard.apply(updates)
            dues = _dues(applied)
            with_forecasts = bool(dues)
            return applied, self._make_now(dues)

        try:
            return await self.run(take)
        except Exception as error:
            if not with_forecasts:
                raise
            logger.warning("updates are taken without their forecasts: %r", error)
            return await self.run(lambda: self._shard.apply(updates)), {}

    def _make_now(self, dues: Sequence[DueForecast]) -> dict[str, Prediction]:
        """Forecast what fell due in the transaction of its updates, and keep it; by game id.

        Nothing where forecasts have to be waited for. Any error is raised, for the store's would
        have spoilt the transaction.
        """
        if not dues:
            return {}
        forecasts = self._placement.forecast_now(
            self._requests(dues), similar=self._settings.similar_games
        )
        if forecasts is None:
            return {}
        predictions = {}
        for due, forecast in zip(dues, forecasts, strict=True):
            answer = as_answer(forecast, explain=True)
            with suppress(PredictionNotMade):
                predictions[due.game_id] = self._shard.forecasts.record(due, answer)
        return predictions

    async def _make(self, dues: Sequence[DueForecast], came: float) -> dict[str, Prediction]:
        """Forecast what fell due by updates that `came`, and keep it; by game id.

        Where this fails the updates stand and the forecast stays due: the game's next update asks
        for it again.
        """
        if not dues:
            return {}
        try:
            forecasts = await self._placement.forecast(
                self._requests(dues), similar=self._settings.similar_games
            )
            answers = [as_answer(forecast, explain=True) for forecast in forecasts]
        except Exception:
            games = [due.game_id for due in dues]
            logger.exception("forecasts for %s stay due", games, extra={"game_ids": games})
            return {}
        kept = await asyncio.gather(
            *(self._record(due, answer, came) for due, answer in zip(dues, answers, strict=True)),
            return_exceptions=True,
        )
        predictions = {}
        for due, prediction in zip(dues, kept, strict=True):
            if isinstance(prediction, BaseException):
                logger.error(
                    "forecast of %s stays due: %r",
                    due.game_id,
                    prediction,
                    extra={"game_id": due.game_id},
                )
            else:
                predictions[due.game_id] = prediction
        return predictions

    async def _record(self, due: DueForecast, forecast: Forecast, came: float) -> Prediction:
        prediction = await self.run(lambda: self._shard.forecasts.record(due, forecast))
        self._note(due, came)
        return prediction

    def _note(self, due: DueForecast, came: float) -> None:
        if due.kind == "prediction":
            self._note_stored(time.perf_counter() - came)

    def _requests(self, dues: Sequence[DueForecast]) -> list[ForecastRequest]:
        return [request_of(due, "halftime", self._settings.alpha) for due in dues]

    # --- what the running forecasts ask ----------------------------------------------------

    async def running(self, game_ids: Sequence[str]) -> list[DueForecast | Wait]:
        """The running forecasts to be made of games whose wait is over."""
        return await self.run(lambda: self._shard.forecasts.running(game_ids))

    async def record_running(self, made: Sequence[MadeForecast]) -> None:
        """Keep running forecasts."""
        await self.run(lambda: self._shard.forecasts.record_running(made))


def _dues(applied: Sequence[Applied | ServiceProblem]) -> list[DueForecast]:
    """The forecasts that fell due, of each game the last one."""
    by_game = {
        item.due.game_id: item.due
        for item in applied
        if isinstance(item, Applied) and item.due is not None
    }
    return list(by_game.values())
