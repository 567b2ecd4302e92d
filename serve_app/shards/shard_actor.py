"""A shard as a Ray actor, with its own connections and the model that it forecasts with."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.forecasters.forecaster import Observe
from serve_app.api.problems import ServiceProblem
from serve_app.live.live_hub import connect_hub
from serve_app.model.following import FollowingModel
from serve_app.model.served_model import TIP_OFF, ServedModel
from serve_app.schemas import ScoreResult
from serve_app.settings import Settings
from serve_app.shards.committed import Committed
from serve_app.shards.forecasting_shard import ForecastingShard
from serve_app.shards.game_shard import GameShard
from serve_app.shards.group_commit import read
from serve_app.shards.shard_messages import Update
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from serve_app.system.logs import log_as_request, redact_secrets
from serve_app.system.reporting import reporting, start
from serve_app.system.shard_watch import ShardWatch


def shard_of(game_id: str, shards: int) -> int:
    """The shard of a game: the same in every process, unlike `hash`."""
    return zlib.crc32(game_id.encode()) % shards


class ShardActor:
    """A shard with its own connections; calls that come together commit together.

    Commits block the event loop, so no call ever sees what is not on disk yet.
    """

    def __init__(self, settings: Settings, index: int = 0) -> None:
        redact_secrets()
        hub = connect_hub(settings)
        store = Store.at(settings.data_dir, settings.store_url)
        self._committed = Committed()
        self._shard = GameShard(
            store,
            auto_register=settings.auto_register,
            forecast_interval_seconds=settings.forecast_interval_seconds,
            notify=self._committed.tell,
        )
        # What it stood in for is told of by the shard that owns it.
        self._watch = ShardWatch(
            lambda: self._shard.standings(lambda game: shard_of(game, settings.shards) == index)
        )
        self._model = FollowingModel(
            lambda bundle: _model(settings, bundle, store, self._watch.forecast),
            settings.bundle,
        )
        self._model.begin()
        self._forecasting = ForecastingShard(
            self._shard,
            self._model,
            settings,
            committed=self._watch.committed,
            stored=self._watch.stored,
        )
        self._reporting = start(reporting(hub, self._watch, "shard", f"shard-{index}"))

    async def post_scores(
        self, updates: Sequence[Update], bundle: Path, request_id: str
    ) -> list[ScoreResult | ServiceProblem]:
        """Take updates and make the forecasts that fall due; `bundle` is the one in service."""
        log_as_request(request_id)
        self._model.follow(bundle)
        results = await self._forecasting.post_scores(updates)
        self._watch.posted(results)
        return results

    async def call(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - as GameShard
        """Call a method of the shard, in a commit shared with all that waits."""
        return await self._forecasting.run(lambda: getattr(self._shard, method)(*arguments))

    async def read(self, game_ids: Sequence[str], method: str, *arguments: Any) -> Any:  # noqa: ANN401 - as GameShard
        """Call a method of the shard that writes nothing and is about these games."""

        def answer() -> Any:  # noqa: ANN401 - as GameShard
            self._shard.refresh(game_ids)
            return getattr(self._shard, method)(*arguments)

        return read(answer)

    async def committed_after(self, seq: int, timeout_seconds: float) -> list[JournalRow]:
        """What this shard has committed after a row of the journal; see `Committed.after`."""
        return await self._committed.after(seq, timeout_seconds)

    async def ready(self, bundle: Path) -> None:
        """Answers once a forecast was made; `bundle` is the one in service."""
        self._model.follow(bundle)
        await self._model.forecast([TIP_OFF], similar=0)


def _model(settings: Settings, bundle: Path, store: Store, observe: Observe) -> ServedModel:
    """The model of a bundle, in the placement that the settings choose.

    A GPU is for whom Ray gives it to, which no shard is: the LSTM runs on the CPU here.
    """
    settings = settings.model_copy(update={"bundle": bundle, "device": "cpu"})
    if settings.placement == "fused":
        return ServedModel(settings, store, observe=observe)
    # Serve takes long to import: a shard that holds the models itself does without.
    from serve_app.model.model_deployments import asks_by_name  # noqa: PLC0415

    return ServedModel(
        settings,
        store,
        dejavu=asks_by_name("Dejavu"),
        lstm=asks_by_name("Lstm"),
        observe=observe,
    )
