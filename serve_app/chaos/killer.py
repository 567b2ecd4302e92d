"""Carries out a plan of kills on a running service, one at a time."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence

import httpx

from serve_app.chaos.errors import ChaosError
from serve_app.chaos.kill_kind import (
    INGRESS_REPLICA,
    KINDS,
    WHOLE_SERVICE,
    KillKind,
    Roster,
    roster_of,
)
from serve_app.chaos.kill_plan import PlannedKill
from serve_app.chaos.outages import Kill
from serve_app.process.service_process import ServiceProcess
from serve_app.replay.delivery import Clock

POLL_SECONDS = 0.1
ANSWER_SECONDS = 10.0
RECOVERY_SECONDS = 180.0


class Killer:
    """Kills by SIGKILL, by process id, what it finds below the service's own handle.

    `watching` says whether a watcher has the live feed. The service is whole when every process is
    there that was there at first, the watcher has the feed, and each ingress replica has answered
    `GET /ready`: one that is there, but not yet asked by the proxy, could not stand in for another.
    """

    def __init__(
        self, service: ServiceProcess, *, clock: Clock, watching: Callable[[], bool]
    ) -> None:
        self._service = service
        self._clock = clock
        self._watching = watching
        self._full: Mapping[str, int] = {}

    async def learn_roster(self, expected: Mapping[str, int]) -> list[KillKind]:
        """Wait until the service has so many processes of these kinds; the kinds it has.

        Raises ChaosError where it takes too long.
        """
        self._full = expected
        await self._whole_again(set())
        roster = roster_of(self._service.titles())
        self._full = {
            kind.name: 1 if kind.elastic else len(roster[kind.name])
            for kind in KINDS
            if kind.name in roster
        }
        return [kind for kind in KINDS if kind.name in roster or kind.name == WHOLE_SERVICE]

    async def carry_out(
        self, plan: Sequence[PlannedKill], on_kill: Callable[[Kill], None]
    ) -> list[Kill]:
        """Every kill of the plan, each once the service is whole again and its pause is over.

        Raises ChaosError where the service does not come back, ServiceProcessError where it ends.
        """
        kills = []
        for planned in plan:
            await self._clock.sleep(planned.pause_seconds)
            at = self._clock.now()
            if planned.kind.name == WHOLE_SERVICE:
                killed = await asyncio.to_thread(self._service.crash)
                self._service.start()
            else:
                killed = self._strike(planned)
            await self._whole_again(set(killed))
            kill = Kill(
                kind=planned.kind, at=at, whole_at=self._clock.now(), processes=tuple(killed)
            )
            kills.append(kill)
            on_kill(kill)
        return kills

    def _strike(self, planned: PlannedKill) -> list[int]:
        found = roster_of(self._service.titles()).get(planned.kind.name)
        if not found:
            raise ChaosError(
                f"expected a process of kind {planned.kind.name!r} to kill; found none; "
                f"it runs {self._service.titles()}"
            )
        victims = list(planned.victims(found))
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        return victims

    async def _whole_again(self, killed: set[int]) -> None:
        until = self._clock.now() + RECOVERY_SECONDS
        async with httpx.AsyncClient(
            base_url=self._service.url,
            timeout=ANSWER_SECONDS,
            trust_env=False,
            # Each question on a new connection: an old one may lead to a proxy that is leaving.
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as client:
            ready: set[str] = set()
            while True:
                await self._clock.sleep(POLL_SECONDS)
                self._service.expect_running()
                roster = roster_of(self._service.titles())
                if self._is_full(roster, killed) and self._watching():
                    ready |= await _ready_instance(client)
                else:
                    ready.clear()  # of a replica that has died meanwhile, perhaps
                if len(ready) >= self._full.get(INGRESS_REPLICA, 1):
                    return
                if self._clock.now() > until:
                    raise ChaosError(
                        f"expected a service that is whole within {RECOVERY_SECONDS:g} s of a "
                        f"kill, with {dict(self._full)}; got {roster}, ready {sorted(ready)}, "
                        f"live feed {'up' if self._watching() else 'down'}"
                    )

    def _is_full(self, roster: Roster, killed: set[int]) -> bool:
        """Whether there are as many processes as at first, none of them among the killed."""
        return all(
            len(set(roster.get(name, ())) - killed) >= number for name, number in self._full.items()
        )


async def _ready_instance(client: httpx.AsyncClient) -> set[str]:
    """The ingress replica that says it is ready; empty where none does."""
    try:
        answer = await client.get("/ready")
    except httpx.TransportError:
        return set()
    if answer.status_code != httpx.codes.OK:
        return set()
    return {str(answer.json()["instance"])}
