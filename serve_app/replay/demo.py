"""The demo: a service of its own, a real night played through it, every prediction shown."""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import websockets
from rich.console import Console

from serve_app.client.exchange import auth_headers
from serve_app.process.service_process import POLL_SECONDS, ServiceProcess
from serve_app.replay.closing_table import closing_table
from serve_app.replay.errors import ReplayError
from serve_app.replay.live_view import LiveGame, LiveView, print_prediction
from serve_app.replay.night import Night, Plan, nights
from serve_app.replay.pace import MS
from serve_app.replay.playback import PlaybackOptions, connect, play_and_report
from serve_app.replay.recording import Selection, load_recordings
from serve_app.replay.report import Report
from serve_app.replay.runner import RunOptions

NIGHT_FOLDER = Path(__file__).parents[2] / "models" / "bundles" / "demo_night"
NIGHT_DATE = datetime.date(2024, 4, 14)
SNAPSHOT_SECONDS = 30.0
RESOLVED_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How the demo goes: `seconds` is what the night takes, `exits` whether it ends by itself."""

    seconds: float = 45.0
    exits: bool = False


async def run_demo(service: ServiceProcess, options: DemoOptions, console: Console) -> int:
    """Run the demo on a service of its own; 0 where every game had its prediction, else 1.

    Raises ReplayError where the service does not come up or stays away. Whatever ends it, the
    service is stopped.
    """
    try:
        console.print("Starting the service ...")
        service.start()
        await service.ready()
        console.print(f"It is ready at {service.url}")
        view = LiveView(print_prediction(console))
        async with watching(service.url, view):
            report = await _play(service.url, options, view, console)
        for failure in report.failures():
            console.print(f"FAILED: {failure}", style="bold red", markup=False)
        if not options.exits:
            await _keep_up(service, console)
        return 1 if report.failures() else 0
    finally:
        console.print("Stopping the service ...")
        service.stop()


@asynccontextmanager
async def watching(url: str, view: LiveView) -> AsyncIterator[None]:
    """Feed the view from the WebSocket, connecting again where the feed breaks off."""
    connected = asyncio.Event()

    async def watch() -> None:
        address = url.replace("http", "ws", 1) + "/ws/live"
        async for socket in websockets.connect(
            address, max_size=None, proxy=None, additional_headers=auth_headers(None)
        ):
            with contextlib.suppress(websockets.ConnectionClosed):
                async for text in socket:
                    await view.take(text)
                    connected.set()

    watcher, first = asyncio.create_task(watch()), asyncio.create_task(connected.wait())
    both = {watcher, first}
    try:
        await asyncio.wait(both, timeout=SNAPSHOT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not connected.is_set():
            seen = repr(watcher.exception()) if watcher.done() else "nothing"
            raise ReplayError(
                f"{url}/ws/live: expected a snapshot within {SNAPSHOT_SECONDS:g} s; got {seen}"
            )
        yield
        if watcher.done():
            watcher.result()  # What broke the watch must not vanish.
    finally:
        first.cancel()
        watcher.cancel()
        await asyncio.wait(both)


async def _play(url: str, options: DemoOptions, view: LiveView, console: Console) -> Report:
    """Play the night at a speed at which it takes `seconds`; the closing table at the end."""
    files = (NIGHT_FOLDER / "games.parquet", NIGHT_FOLDER / "events.parquet")
    recordings = load_recordings(*files, Selection(date=NIGHT_DATE))
    (night,) = nights(recordings, Plan())
    speed = _span_seconds(night) / options.seconds
    console.print(
        f"Playing {len(night.games)} games of {NIGHT_DATE:%d %B %Y} at {speed:.0f} times real time"
    )
    run = RunOptions(speed=speed)
    async with connect(url, run.lanes) as client:
        playback = PlaybackOptions(plan=Plan(), run=run)
        report = await play_and_report(client, recordings, str(NIGHT_DATE), playback)
    await view.resolved([game.game_id for game in night.games], RESOLVED_SECONDS)
    games = [view.games.get(game.game_id, LiveGame()) for game in night.games]
    console.print(closing_table(games, f"The night of {NIGHT_DATE:%d %B %Y}"))
    latency = ", ".join(f"{name} {ms:.0f} ms" for name, ms in report.traffic.latency_ms.items())
    console.print(
        f"{report.traffic.updates:,} score updates, {report.traffic.updates_per_second:,.0f} a "
        f"second; POST {latency}"
    )
    return report


def _span_seconds(night: Night) -> float:
    sent = [
        update.sent_ms for game in night.games for update in (game.updates[0], game.updates[-1])
    ]
    return (max(sent) - min(sent)) / MS


async def _keep_up(service: ServiceProcess, console: Console) -> None:
    """Wait until the demo is stopped; raises ServiceProcessError where the service ends."""
    console.print(f"The service stays up for a look: {service.url}/  (Ctrl-C stops it)")
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            service.expect_running()
            await asyncio.sleep(POLL_SECONDS)
