"""A whole chaos run: start the service, play to it while it is killed, audit it, certify."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import httpx

from serve_app.chaos.audit import audit, read_store
from serve_app.chaos.certificate import Certificate, Conditions
from serve_app.chaos.chaos_night import span_seconds
from serve_app.chaos.chaos_service import ChaosService
from serve_app.chaos.feed_watcher import FeedWatcher
from serve_app.chaos.kill_pace import KillPace
from serve_app.chaos.kill_plan import plan_kills
from serve_app.chaos.killer import Killer
from serve_app.chaos.ledger import Ledger
from serve_app.chaos.outages import Kill, longest_waits, outages_by_kind
from serve_app.chaos.repeats import answered_otherwise
from serve_app.process.service_process import ServiceProcess, ServiceProcessError
from serve_app.replay.agreement import Logged
from serve_app.replay.delivery import Delivery, DeliveryLog, SystemClock
from serve_app.replay.errors import ReplayError
from serve_app.replay.night import Night
from serve_app.replay.playback import connect
from serve_app.replay.prediction_log import read_predictions
from serve_app.replay.report import Report, build_report
from serve_app.replay.runner import Runner, RunOptions
from serve_app.replay.tally import Tally
from serve_app.replay.truth import GameTruth

DEADLINE_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """How a run goes. `kill_seconds` is what a kill with its recovery is expected to take.

    `kinds` names the kinds to kill; None for all that the service has.
    """

    kills: int
    seed: int
    kinds: tuple[str, ...] | None = None
    lanes: int = 4
    kill_seconds: float = 5.0


class ChaosRun:
    """One run against one service; `on_kill` is told of each kill once the service is whole."""

    def __init__(
        self,
        service: ChaosService,
        night: Night,
        options: ChaosOptions,
        *,
        on_kill: Callable[[Kill], None] = lambda _: None,
    ) -> None:
        self._service = service
        self._night = night
        self._options = options
        self._on_kill = on_kill
        self._clock = SystemClock()
        self._ledger = Ledger(self._clock.now)
        self._watcher = FeedWatcher(service.process.live_url, self._ledger, self._clock.now)
        self._kills: list[Kill] = []

    async def certify(self) -> Certificate:
        """Start the service, play and kill, stop it, and say what held.

        Raises ReplayError or ServiceProcessError where the run cannot be brought to its end.
        """
        process = self._service.process
        with process:
            await process.ready()
            begun = self._clock.now()
            model_version = await _model_version(process)
            async with (
                connect(process.url, self._options.lanes) as client,
                self._watcher.running(),
            ):
                delivery = Delivery(
                    client,
                    deadline_seconds=DEADLINE_SECONDS,
                    longest_pause_seconds=LONGEST_PAUSE_SECONDS,
                    clock=self._clock,
                )
                runner = await self._play(delivery)
                logged = await read_predictions(delivery, _ids(self._night))
                repeats = await answered_otherwise(
                    delivery, self._night, self._ledger, seed=self._options.seed
                )
            seconds = self._clock.now() - begun
        report = self._report(runner.tally, delivery.log, logged, seconds)
        return self._certificate(report, repeats, seconds, model_version)

    async def _play(self, delivery: Delivery) -> Runner:
        """Play the night to its end and carry out all kills, at the same time."""
        killer = Killer(
            self._service.process, clock=self._clock, watching=lambda: self._watcher.watching
        )
        kinds = await killer.learn_roster(self._service.processes)
        wanted = self._options.kinds
        plan = plan_kills(
            [kind for kind in kinds if wanted is None or kind.name in wanted],
            self._options.kills,
            seed=self._options.seed,
        )
        pace = KillPace(
            span_seconds(self._night),
            len(plan),
            kill_seconds=self._options.kill_seconds,
            clock=self._clock,
        )
        options = RunOptions(speed=1.0, lanes=self._options.lanes)
        runner = Runner(delivery, options, clock=pace, witness=self._ledger)

        def on_kill(kill: Kill) -> None:
            self._kills.append(kill)
            pace.kill_done()
            self._on_kill(kill)

        failures: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(runner.play(self._night))
                tasks.create_task(killer.carry_out(plan, on_kill))
        except* (ReplayError, ServiceProcessError) as group:
            failures.extend(group.exceptions)
        if failures:
            raise failures[0]
        return runner

    def _report(self, tally: Tally, log: DeliveryLog, logged: Logged, seconds: float) -> Report:
        """What a replay without kills reports, and the comparison with the offline forecasts."""
        return build_report(
            "the chaos run",
            [GameTruth.of(game) for game in self._night.games],
            logged,
            tally=tally,
            log=log,
            seconds=seconds,
            bundle=self._service.settings.bundle,
        )

    def _certificate(
        self,
        report: Report,
        repeats: tuple[int, list[str]],
        seconds: float,
        model_version: str,
    ) -> Certificate:
        settings = self._service.settings
        return Certificate(
            conditions=Conditions(
                seed=self._options.seed,
                kills=len(self._kills),
                games=len(self._night.games),
                seconds=round(seconds, 1),
                placement=settings.placement,
                ingress_replicas=self._service.ingress_replicas,
                shards=settings.shards,
                service_version=version("halftime-forecaster"),
                model_version=model_version,
                cores=os.cpu_count() or 1,
            ),
            audit=audit(
                self._ledger, read_store(settings), [game.game_id for game in self._night.games]
            ),
            asked_again=repeats[0],
            answered_otherwise=repeats[1],
            replay=report,
            outages=outages_by_kind(self._kills, self._ledger.spans, self._watcher.gaps),
            kills=self._told_kills(),
        )

    def _told_kills(self) -> list[dict[str, Any]]:
        """Every kill for the report, its moments counted from the first one."""
        waits = longest_waits(self._kills, self._ledger.spans)
        feed = longest_waits(self._kills, self._watcher.gaps)
        return [
            {
                "kind": kill.kind.name,
                "at": round(kill.at - self._kills[0].at, 3),
                "processes": len(kill.processes),
                "outage": round(wait, 3),
                "live_feed": round(gap, 3),
                "whole_again": round(kill.whole_at - kill.at, 3),
            }
            for kill, wait, gap in zip(self._kills, waits, feed, strict=True)
        ]


async def _model_version(process: ServiceProcess) -> str:
    async with httpx.AsyncClient(base_url=process.url, trust_env=False) as client:
        answer = await client.get("/models")
    return str(answer.raise_for_status().json()["model_version"])


def _ids(night: Night) -> list[str]:
    return [game.game_id for game in night.games]
