"""A whole replay against a running service: play every night, read the log back, report."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from serve_app.client.exchange import auth_headers
from serve_app.replay.delivery import Clock, Delivery, SystemClock
from serve_app.replay.errors import ReplayError
from serve_app.replay.night import Night, Plan, nights
from serve_app.replay.prediction_log import read_predictions
from serve_app.replay.recording import Recording
from serve_app.replay.report import Report, build_report
from serve_app.replay.runner import Runner, RunOptions
from serve_app.replay.truth import GameTruth

REQUEST_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackOptions:
    """How to play, and what to hold the answers against.

    `bundle` is a bundle folder for the offline comparison, None for none. `deadline_seconds`
    bounds how long one request is repeated while the service is away.
    """

    plan: Plan
    run: RunOptions
    bundle: Path | None = None
    deadline_seconds: float = 60.0


async def play_and_report(
    client: httpx.AsyncClient,
    recordings: Sequence[Recording],
    selection: str,
    options: PlaybackOptions,
    *,
    on_night: Callable[[Night], None] = lambda _: None,
    clock: Clock | None = None,
) -> Report:
    """Play `recordings` (sorted by date) to the service behind `client` and report.

    Raises ReplayError where the service is not ready, refuses a game, or stays away.
    """
    clock = clock or SystemClock()
    delivery = Delivery(client, deadline_seconds=options.deadline_seconds, clock=clock)
    runner = Runner(delivery, options.run, clock=clock)
    truths: list[GameTruth] = []
    await _expect_ready(client)
    begun = clock.now()
    for night in nights(recordings, options.plan):
        await runner.play(night)
        truths += [GameTruth.of(game) for game in night.games]
        on_night(night)
    seconds = clock.now() - begun
    return build_report(
        selection,
        truths,
        await read_predictions(delivery, [truth.game_id for truth in truths]),
        tally=runner.tally,
        log=delivery.log,
        seconds=seconds,
        bundle=options.bundle,
    )


@asynccontextmanager
async def connect(url: str, lanes: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the service at `url` with a connection for each lane.

    It sends the key of the environment variable HALFTIME_API_KEY, if there is one.
    """
    limits = httpx.Limits(max_connections=lanes + 2, max_keepalive_connections=lanes + 2)
    async with httpx.AsyncClient(
        base_url=url,
        headers=auth_headers(None),
        limits=limits,
        timeout=REQUEST_TIMEOUT_SECONDS,
        trust_env=False,
    ) as client:
        yield client


async def _expect_ready(client: httpx.AsyncClient) -> None:
    try:
        answer = await client.get("/ready")
    except httpx.TransportError as error:
        raise ReplayError(
            f"{client.base_url}: expected a running service; {type(error).__name__}: {error}. "
            "Start one with `make serve`"
        ) from None
    if not answer.is_success:
        raise ReplayError(
            f"{client.base_url}: expected a service that is ready; GET /ready says "
            f"{answer.status_code}: {answer.text[:200]}"
        )
