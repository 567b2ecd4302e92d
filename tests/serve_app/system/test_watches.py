"""What each kind of process counts and reports."""

import asyncio
import json
from typing import Any, get_args

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from models.training.bundle import Bundle
from serve_app.api.problems import Overloaded, ServiceProblem, Unavailable
from serve_app.game.game_standing import LIVE_SECONDS, GameStanding
from serve_app.live.message import Message
from serve_app.model.served_model import TIP_OFF, ServedModel
from serve_app.schemas import ScoreResult
from serve_app.settings import Settings
from serve_app.shards.forecasting_shard import ForecastingShard
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, Update
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.store import Store
from serve_app.system.feed_watch import FeedWatch
from serve_app.system.hub_watch import HubWatch
from serve_app.system.ingress_watch import IngressWatch, Responses
from serve_app.system.metrics import (
    BROADCAST,
    CARRIED_MINUTES,
    CHANGES_TOLD,
    COMMIT,
    CORRECTIONS,
    DRIFT_ALARM,
    DROPPED_WATCHERS,
    FORECAST,
    GAMES_MONITORED,
    MISSING_MINUTES,
    RESPONSES,
    ROLLING_COVERAGE,
    ROLLING_MAE,
    ROLLING_PREDICTIONS,
    TRIGGER_STORED,
    UNPREDICTED_GAMES,
    UPDATES,
    WATCHERS,
    WEBHOOK_DELIVERIES,
    WEBHOOKS_PENDING,
    Metric,
)
from serve_app.system.reports import WebhookReport
from serve_app.system.shard_watch import ShardWatch
from serve_app.system.system_state import SystemState
from serve_app.system.tally import Tally
from serve_app.system.webhook_watch import DeliveryOutcome, WebhookWatch
from tests.serve_app.conftest import (
    LocalShards,
    NormalPlacement,
    forecast,
    registration,
    update,
    updates,
)


def counted(tally: Tally, metric: Metric) -> dict[tuple[str, ...], float]:
    """What is drained of one counter or gauge, by labels."""
    drained = tally.drain()
    both = {**drained.counters, **drained.gauges}
    return {labels: value for (one, labels), value in both.items() if one is metric}


class TestShard:
    async def test_updates_are_counted_by_what_became_of_them(
        self, shards: LocalShards, shard: GameShard
    ):
        shard.register(registration())
        watch = ShardWatch(list)
        for batch in (
            [update(60, 5), update(90, 3), update(60, 5, game_id="nobody")],
            [update(60, 5)],
        ):
            watch.posted(await shards.post_scores(batch))
        drained = watch.tally.drain().counters
        assert drained == {
            (UPDATES, ("taken",)): 2,
            (UPDATES, ("refused",)): 1,
            (CORRECTIONS, ()): 1,
            (UPDATES, ("duplicate",)): 1,
        }

    async def test_it_is_told_when_a_prediction_is_on_disk_and_of_every_commit(
        self, shard: GameShard, placement: NormalPlacement
    ):
        shard.register(registration())
        watch = ShardWatch(list)
        shards = ForecastingShard(
            shard, placement, Settings(), committed=watch.committed, stored=watch.stored
        )
        for batch in (updates(1050), [update(1080, 18)], [update(1110, 20)]):
            await shards.post_scores(batch)
        drained = watch.tally.drain().histograms
        await shards.settle()
        assert sum(drained[TRIGGER_STORED, ()]) == 1
        assert sum(drained[COMMIT, ()]) == 3

    async def test_it_reports_how_long_ago_its_games_were_heard_of(self):
        games = [GameStanding(2.0, 3, None), GameStanding(9.0, 0, "due")]
        watch = ShardWatch(lambda: games)
        watch.posted([])
        report = await watch.report()
        assert report.lags_seconds == (2.0, 9.0)
        assert counted(watch.tally, MISSING_MINUTES) == {(): 3}
        assert counted(watch.tally, UNPREDICTED_GAMES) == {
            ("due",): 1,
            ("insufficient",): 0,
            ("missed",): 0,
        }
        games.clear()
        assert (await watch.report()).lags_seconds == ()
        assert counted(watch.tally, UNPREDICTED_GAMES)["due",] == 0


class TestStandings:
    @pytest.fixture
    def now(self) -> list[float]:
        return [1_000_000.0]

    @pytest.fixture
    def clocked(self, store: Store, now: list[float]) -> GameShard:
        return GameShard(store, now=lambda: now[0])

    def standings(self, shard: GameShard) -> list[GameStanding]:
        return shard.standings(lambda _: True)

    def test_a_game_is_live_from_its_first_update_to_its_end(
        self, clocked: GameShard, now: list[float]
    ):
        clocked.register(registration())
        assert self.standings(clocked) == []
        clocked.apply([update(30, 2)])
        now[0] += 7
        assert self.standings(clocked) == [GameStanding(7.0, 0, None)]
        clocked.apply([update(30, 2)])  # a repeat: the scraper lives
        assert self.standings(clocked)[0].lag_seconds == 0.0
        assert clocked.standings(lambda _: False) == []
        clocked.end("g1")
        assert self.standings(clocked) == []

    def test_a_game_that_nobody_ended_is_over_some_day(self, clocked: GameShard, now: list[float]):
        clocked.register(registration())
        clocked.apply([update(30, 2)])
        now[0] += LIVE_SECONDS
        assert len(self.standings(clocked)) == 1
        now[0] += 1
        assert self.standings(clocked) == []

    def test_why_a_game_has_no_prediction(self, clocked: GameShard):
        for game_id in ("made", "due", "gaps", "late"):
            clocked.register(registration(game_id))
        applied = clocked.apply(updates(1080, game_id="made"))[-1]
        assert isinstance(applied, Applied)
        assert applied.due is not None
        clocked.forecasts.record(applied.due, forecast())
        clocked.apply(updates(1080, game_id="due"))
        clocked.apply([update(60, 1, game_id="gaps"), update(1090, 9, game_id="gaps")])
        clocked.apply([update(1_500, 9, game_id="late")])
        standings = self.standings(clocked)
        assert [one.unpredicted for one in standings] == [None, "due", "insufficient", "missed"]
        assert standings[2].missing_minutes == 17


class TestHub:
    @pytest.fixture
    def watch(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> HubWatch:
        monkeypatch.setattr(SystemState, "is_settled", property(lambda _: True))
        return HubWatch(store, shards_expected=2)

    async def test_changes_are_counted_and_what_predictions_carried(
        self, shard: GameShard, store: Store, watch: HubWatch
    ):
        play(shard, [one for one in updates(1500) if one.time_remaining not in {"3:30", "3:00"}])
        rows = store.journal.after(0, 1_000)
        watch.read(rows)
        drained = watch.tally.drain().counters
        assert drained[CHANGES_TOLD, ("prediction",)] == 1
        assert drained[CHANGES_TOLD, ("outcome",)] == 1
        assert drained[CHANGES_TOLD, ("score",)] == sum(row.type == "score" for row in rows)
        (payload,) = [row.payload for row in rows if row.type == "prediction"]
        carried = json.loads(payload)["prediction"]["minutes_carried_forward"]
        assert drained[CARRIED_MINUTES, ()] == carried > 0

    async def test_the_rolling_skill_is_of_what_is_resolved(
        self, shard: GameShard, store: Store, watch: HubWatch
    ):
        await watch.report()
        assert counted(watch.tally, ROLLING_PREDICTIONS) == {(): 0}
        play(shard, updates(1500))
        watch.read(store.journal.after(0, 1_000))
        await watch.report()
        gauges = watch.tally.drain().gauges
        # Home scores one point a minute: 24 at halftime, 18 at 6:00; the forecast says 4.
        assert gauges[ROLLING_PREDICTIONS, ()] == 1
        assert gauges[ROLLING_MAE, ("ensemble",)] == 20.0
        assert gauges[ROLLING_MAE, ("persistence",)] == 6.0
        assert gauges[ROLLING_COVERAGE, ()] == 0.0
        assert gauges[GAMES_MONITORED, ()] == 1

    async def test_the_state_is_not_told_before_it_can_be_known(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        watch = HubWatch(store, shards_expected=2)
        with pytest.raises(Unavailable, match="has just begun"):
            await watch.system()
        await watch.report()
        assert counted(watch.tally, GAMES_MONITORED) == {}

    async def test_a_store_that_is_away_leaves_its_number_unknown(
        self, store: Store, watch: HubWatch, monkeypatch: pytest.MonkeyPatch
    ):
        assert (await watch.system()).games_monitored == 0

        def away(_: float) -> int:
            raise StoreUnavailableError("away")

        monkeypatch.setattr(store.games, "count_monitored", away)
        assert (await watch.system()).games_monitored is None


def play(shard: GameShard, posted: list[Update]) -> None:
    """A game up to its outcome."""
    shard.register(registration())
    for one in posted:
        (applied,) = shard.apply([one])
        assert isinstance(applied, Applied)
        if applied.due is not None and applied.due.kind == "prediction":
            shard.forecasts.record(applied.due, forecast())


class Watched:
    watching = 4
    dropped = 2


class TestFeed:
    async def test_news_is_timed_by_its_kind_and_the_dropped_are_counted_once(self):
        watch = FeedWatch(now=lambda: 100.0)
        with pytest.raises(RuntimeError, match="broadcast"):
            await watch.report()
        watch.broadcast = Watched()
        watch.carried(Message(1, "score", "g1", "{}", 99.98))
        watch.carried(Message(2, "score", "g1", "{}", 100.5))  # another machine's clock
        watch.carried(Message(3, "unheard_of", "g1", "{}", 99.0))
        assert await watch.report() == await watch.report()
        drained = watch.tally.drain()
        assert drained.gauges == {(WATCHERS, ()): 4}
        assert drained.counters == {(DROPPED_WATCHERS, ()): 2}
        assert {labels: sum(counts) for (_, labels), counts in drained.histograms.items()} == {
            ("score",): 2
        }
        assert drained.histograms[BROADCAST, ("score",)][0] == 1


class TestIngress:
    async def test_the_model_in_service_is_told_with_the_alarm(
        self, store: Store, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
    ):
        watch = IngressWatch()
        with pytest.raises(RuntimeError, match="model"):
            await watch.report()
        watch.model = ServedModel(Settings(), store)
        monkeypatch.setattr(store.lessons, "learned_games", None)  # no report waits for the store
        report = await watch.report()
        assert report.model_version == bundle.model_version
        assert report.calibration_version == f"{bundle.model_version}+0"
        assert counted(watch.tally, DRIFT_ALARM) == {(): 0.0}

    async def test_answers_are_timed_and_counted_by_status(self):
        watch = IngressWatch()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                return
            if scope["path"] == "/defect":
                raise ZeroDivisionError
            if scope["path"] == "/left":
                raise asyncio.CancelledError
            status = 503 if scope["path"] == "/busy" else 200
            await PlainTextResponse("x", status)(scope, receive, send)

        transport = httpx.ASGITransport(Responses(app, watch), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            for path in ("/", "/", "/busy", "/defect"):
                await client.get(path)
        await Responses(app, watch)({"type": "lifespan"}, _never, _never)
        with pytest.raises(asyncio.CancelledError):  # its client has gone
            await Responses(app, watch)({"type": "http", "path": "/left"}, _never, _never)
        watch.model = None
        assert counted(watch.tally, RESPONSES) == {("2xx",): 2, ("5xx",): 2}

    @pytest.mark.parametrize("watch", [IngressWatch(), ShardWatch(list)])
    async def test_components_are_timed_where_forecasts_are_made(
        self, watch: IngressWatch | ShardWatch, store: Store
    ):
        model = ServedModel(Settings(placement="fused"), store, observe=watch.forecast)
        await model.forecast([TIP_OFF], similar=0)
        components = {labels for (one, labels) in watch.tally.drain().histograms if one is FORECAST}
        assert components == {("dejavu",), ("lstm",), ("ensemble",)}


async def _never(*_: object) -> Any:  # noqa: ANN401
    await asyncio.Event().wait()


DELIVERY_OUTCOMES: tuple[DeliveryOutcome, ...] = get_args(DeliveryOutcome)


class TestWebhooks:
    def test_its_outcomes_are_those_of_the_metric(self):
        assert WEBHOOK_DELIVERIES.labels["outcome"] == DELIVERY_OUTCOMES

    async def test_what_it_is_fed_is_counted_and_told(self):
        watch = WebhookWatch(lambda: 3)
        for outcome in DELIVERY_OUTCOMES:
            watch.attempted(outcome)
        watch.attempted("failed")
        assert await watch.report() == WebhookReport(3)
        drained = watch.tally.drain()
        assert drained.counters[WEBHOOK_DELIVERIES, ("failed",)] == 2
        assert drained.gauges == {(WEBHOOKS_PENDING, ()): 3}


def test_a_problem_is_no_update_that_was_taken():
    watch = ShardWatch(list)
    problems: list[ScoreResult | ServiceProblem] = [Overloaded("full"), Unavailable("away")]
    watch.posted(problems)
    assert counted(watch.tally, UPDATES) == {("refused",): 2}
