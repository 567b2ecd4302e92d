"""Benchmark the page: bytes, first paint and layout shift with 15 live games, in a real browser.

One service on loopback with a fresh store. Browser and service share the machine's cores.
`--screenshots FOLDER` writes pictures of every view instead, wide and narrow, light and dark.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from serve_app.bench.chromium import NoBrowserError, browser_path, chromium
from serve_app.bench.stepped_night import SteppedNight
from serve_app.bench.visit import DESKTOP, PHONE, Scheme, Visit
from serve_app.client import ForecastClient
from serve_app.process.environment import free_port
from serve_app.process.service_process import ROOT, ServiceProcess
from serve_app.process.stop_signals import until_stopped

GAMES = 15
LIVE, CROSSING, HALFTIME = 840, 1080, 1440  # seconds of game clock elapsed
STEP_SECONDS = 10
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@contextmanager
def service() -> Iterator[ServiceProcess]:
    """The fused service, with a running forecast for every score."""
    with tempfile.TemporaryDirectory(prefix="halftime-page-") as name:
        folder = Path(name)
        content = yaml.safe_load((ROOT / "configs" / "fused.yaml").read_text(encoding="utf-8"))
        for application in content["applications"]:
            application["args"] = {**application["args"], "forecast_interval_seconds": 0.0}
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(content), encoding="utf-8")
        with ServiceProcess.of_config(config, free_port(), folder) as process:
            asyncio.run(process.ready())
            yield process


def first_visits(browser: Browser, url: str, count: int) -> list[tuple[str, str, str]]:
    """What a page costs that opens on 15 live games, over so many fresh visits."""
    paints, answers, requests, feed = [], [], [], []
    for _ in range(count):
        with Visit(browser, url) as visit:
            visit.until_live(cards=GAMES)
            paints.append(visit.first_contentful_paint())
            visit.settle()
            answers.append(visit.load.answers_bytes / 1000)
            requests.append(visit.load.requests)
            feed.append(visit.load.feed_bytes / 1000)
    return [
        _row("first contentful paint, ms", paints),
        _row(f"page, assets and answers ({max(requests)} requests), kB", answers),
        _row("snapshot over the live feed, kB", feed),
    ]


def stay(browser: Browser, url: str, night: SteppedNight) -> list[tuple[str, str, str]]:
    """What moves on the page and in one game's view while the night goes on before them."""
    rows = []
    with Visit(browser, url) as tonight, Visit(browser, url) as game:
        tonight.until_live(cards=GAMES)
        game.until_live(cards=GAMES)
        game.open(f"game/{night.games[0].game_id}")
        game.settle()
        for visit in (tonight, game):
            visit.take_shifts()
        for what, since, until in (
            ("scores and running forecasts", LIVE, CROSSING - STEP_SECONDS),
            ("predictions at 6:00 of Q2", CROSSING - STEP_SECONDS, CROSSING),
            ("to halftime and its outcomes", CROSSING, HALFTIME + STEP_SECONDS),
        ):
            for elapsed in range(since + STEP_SECONDS, until + 1, STEP_SECONDS):
                night.play_to(elapsed)
                for visit in (tonight, game):
                    visit.settle()
            for view, visit in (("Tonight", tonight), ("Game", game)):
                rows.append(_shift_row(f"{view}, {what}", visit))
        night.end()
        rows += [_shift_row("Tonight, to the end", tonight), _shift_row("Game, to the end", game)]
        for complaint in (*tonight.complaints, *game.complaints):
            rows.append(("complaint", "", complaint))
    return rows


def _shift_row(what: str, visit: Visit) -> tuple[str, str, str]:
    visit.settle()
    shifts = visit.take_shifts()
    moved = sorted({line.split(" ")[0] for shift in shifts for line in shift["moved"]})
    score = sum(shift["value"] for shift in shifts)
    return f"layout shift: {what}", f"{score:.5f}", ", ".join(moved)


def _row(what: str, values: list[float]) -> tuple[str, str, str]:
    return what, f"{statistics.median(values):.0f}", f"{max(values):.0f}"


def measure(options: argparse.Namespace) -> Table:
    """All of it, as a table."""
    table = Table("what", "median or sum", "worst, or what moved")
    with service() as process, ForecastClient(process.url) as client:
        night = SteppedNight(client, games=GAMES)
        night.register()
        night.play_to(LIVE)
        with chromium() as browser:
            rows = first_visits(browser, f"{process.url}/", options.visits)
            rows += stay(browser, f"{process.url}/", night)
    for row in rows:
        table.add_row(*row)
    return table


def stage(night: SteppedNight) -> None:
    """Play the games to where a game can stand: from over to not begun."""
    night.end(night.games[:3])
    for elapsed, first, last in ((2400, 3, 5), (1620, 5, 7), (1200, 7, 9), (700, 9, 13)):
        night.play_to(elapsed, night.games[first:last])


def photograph(folder: Path) -> None:
    """Write a picture of each view, of a night whose games stand where games can stand."""
    folder.mkdir(parents=True, exist_ok=True)
    with service() as process, ForecastClient(process.url) as client:
        night = SteppedNight(client, games=GAMES)
        night.register()
        stage(night)
        views = {
            "tonight": "",
            "game": f"game/{night.games[6].game_id}",
            "game-early": f"game/{night.games[9].game_id}",
            "game-over": f"game/{night.games[0].game_id}",
            "accuracy": "accuracy",
            "system": "system",
        }
        with chromium() as browser:
            for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
                for scheme in SCHEMES:
                    with Visit(
                        browser, f"{process.url}/", viewport=viewport, scheme=scheme
                    ) as visit:
                        visit.until_live(cards=GAMES)
                        for name, view in views.items():
                            visit.open(view)
                            visit.settle()
                            path = folder / f"{name}-{size}-{scheme}.png"
                            visit.page.screenshot(path=path, full_page=True)
                        print("\n".join(visit.complaints), end="")


def main() -> int:
    """Measure and print the table, or write the pictures; 2 where there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=10, help="fresh visits to the page")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    try:
        browser_path()
    except NoBrowserError as reason:
        print(f"bench_page: {reason}", file=sys.stderr)
        return 2
    if options.screenshots:
        photograph(options.screenshots)
    else:
        Console(width=140).print(measure(options))
    return 0


if __name__ == "__main__":
    sys.exit(until_stopped(main))
