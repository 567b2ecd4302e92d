"""The pace of a chaos run's games: they last as long as the kills do, however long those take."""

import math

from serve_app.replay.delivery import Clock

TICK_SECONDS = 0.02


class KillPace:
    """A clock that shows schedule time: each kill that is done lets it go a step further.

    Between two kills it runs towards the next step and never quite reaches it, so that there is
    something to post at any moment of an outage, however long. After the last kill it runs on at
    the pace of the plan.

    Args:
        span_seconds: how much schedule time there is.
        kills: how many kills are to share it.
        kill_seconds: how long one kill with its recovery is expected to take.
        clock: real time.
    """

    def __init__(
        self, span_seconds: float, kills: int, *, kill_seconds: float, clock: Clock
    ) -> None:
        self._step = span_seconds / (kills + 1)
        self._left = kills
        self._kill_seconds = kill_seconds
        self._clock = clock
        self._begun = clock.now()
        self._from = 0.0
        self._goal = self._step

    def kill_done(self) -> None:
        """One more kill has happened, and the service is whole again."""
        self._from, self._begun = self.now(), self._clock.now()
        self._goal += self._step
        self._left -= 1

    def now(self) -> float:
        """Seconds of schedule time."""
        elapsed = (self._clock.now() - self._begun) / self._kill_seconds
        if self._left <= 0:
            return self._from + self._step * elapsed
        return self._from + (self._goal - self._from) * -math.expm1(-elapsed)

    async def sleep(self, seconds: float) -> None:
        """Wait until so much schedule time has gone by."""
        until = self.now() + seconds
        while self.now() < until:
            await self._clock.sleep(TICK_SECONDS)
