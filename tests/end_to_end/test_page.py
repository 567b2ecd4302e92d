"""The page as people have it: a real night, the real service, a real browser."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from models.game.clock import GameClock
from serve_app.bench.chromium import PROGRAM, chromium
from serve_app.bench.stepped_night import SteppedGame, SteppedNight
from serve_app.bench.visit import Scheme, Visit
from serve_app.client import ForecastClient
from serve_app.process.service_process import ServiceProcess

PAGE_BYTES = 150_000
DEADLINE_MILLISECONDS = 20_000
FEED = "ray::ServeReplica:live-feed:LiveFeed"
NARROW: ViewportSize = {"width": 360, "height": 740}
VIEWS = ("tonight", "game", "accuracy", "system")
# A fan is wider than the lines of the grid that cross a column of the chart are together.
LEAST_PAINTED = 0.12
# In a copy: a chart that is read from again and again would be drawn more slowly.
_PAINTED_AT_THE_END = """
(fan) => {
  const canvas = fan.querySelector("canvas");
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(width - 30 * devicePixelRatio, 0, 1, height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length / height;
}
"""

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None,
    reason=f"no browser here: install Debian's package {PROGRAM} to drive the page",
)


@pytest.fixture(scope="module")
def browser(fused: ServiceProcess) -> Iterator[Browser]:
    """Opened after the service is up: while it is, nothing here can run an event loop."""
    expect.set_options(timeout=DEADLINE_MILLISECONDS)
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def client(fused: ServiceProcess) -> Iterator[ForecastClient]:
    with ForecastClient(fused.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def evening(client: ForecastClient) -> SteppedNight:
    """A night in the middle: over, past the half, predicted, live, not begun."""
    night = SteppedNight(client, games=5, prefix="evening-")
    over, late, predicted, live, _ = night.games
    night.register()
    night.end([over])
    for game, elapsed in ((late, 2000), (predicted, 1200), (live, 700)):
        night.play_to(elapsed, [game])
    return night


def card(page: Page, game: SteppedGame) -> Locator:
    return page.locator(f'.card[data-game="{game.game_id}"]')


def part(within: Locator, name: str) -> Locator:
    return within.locator(f'[data-part="{name}"]')


def lead(game: SteppedGame, margin: float, digits: int = 1) -> str:
    """A margin as the page writes it."""
    size = f"{abs(margin):.{digits}f}"
    return f"{game.home if margin > 0 else game.away} +{size}" if float(size) else "Tied"


def shown(page: Page) -> Locator:
    """The one view that is not hidden."""
    return page.locator("main > section[data-view]:not([hidden])")


def expect_view(page: Page, view: str) -> None:
    expect(shown(page)).to_have_count(1)
    expect(shown(page)).to_have_attribute("data-view", view)
    expect(page.locator('nav a[aria-current="page"]')).to_have_count(1)


def go_to(visit: Visit, view: str, game: SteppedGame) -> None:
    """Open a view, the Game view of that game, and wait until it has drawn what it fetched."""
    visit.open({"tonight": "", "game": f"game/{game.game_id}"}.get(view, view))
    expect_view(visit.page, view)
    visit.settle()


def test_a_night_comes_to_the_page_by_itself(
    browser: Browser, fused: ServiceProcess, client: ForecastClient
):
    night = SteppedNight(client, games=3, prefix="page-")
    with Visit(browser, f"{fused.url}/") as visit:
        visit.until_live()
        cards = [card(visit.page, game) for game in night.games]
        expect(cards[0]).to_have_count(0)
        night.register()
        for one in cards:
            expect(one).to_be_visible()
        night.play_to(600)
        for one, game in zip(cards, night.games, strict=True):
            home, away = game.score_at(600_000)
            expect(part(one, "clock")).to_have_text("Q1 2:00")
            expect(part(one, "home-points")).to_have_text(str(home))
            expect(part(one, "away-points")).to_have_text(str(away))
            expect(part(one, "running-clock")).to_contain_text("Q1 2:00")
            expect(part(one, "headline")).to_be_hidden()
        visit.take_shifts()
        for elapsed in range(615, 1080, 15):
            night.play_to(elapsed)
        for one in cards:
            expect(part(one, "running-clock")).to_contain_text("Q2 6:15")
        assert visit.take_shifts() == []
        night.play_to(1080)
        for one, game in zip(cards, night.games, strict=True):
            made = client.prediction(game.game_id)
            expect(part(one, "headline")).to_have_text(lead(game, made.point_forecast))
            expect(part(one, "frozen")).to_contain_text("Q2 6:00")
        expect(visit.page.locator("#announcer")).to_contain_text("forecast")
        assert visit.take_shifts() == []
        night.play_to(1455)
        for one, game in zip(cards, night.games, strict=True):
            home, away = game.score_at(1_440_000)
            expect(part(one, "against-label")).to_contain_text("Halftime")
            expect(part(one, "against")).to_have_text(lead(game, home - away, digits=0))
        night.end()
        for one, game in zip(cards, night.games, strict=True):
            expect(one).to_have_attribute("data-state", "ended")
            home, away = game.score_at(game.end)
            expect(part(one, "final-lead")).to_have_text(lead(game, home - away, digits=0))
        assert visit.take_shifts() == []
        assert visit.complaints == []


def test_the_fan_narrows_as_the_game_goes_on(
    browser: Browser, fused: ServiceProcess, client: ForecastClient
):
    night = SteppedNight(client, games=1, prefix="fan-")
    (game,) = night.games
    night.register()
    night.play_to(300)
    with Visit(browser, f"{fused.url}/") as visit:
        visit.until_live()
        visit.open(f"game/{game.game_id}")
        expect_view(visit.page, "game")
        expect(visit.page).to_have_title(re.compile(f"{game.away}.*{game.home}"))
        fan = shown(visit.page).locator('[data-part="fan"]')
        widths: list[float] = []
        visit.settle()
        visit.take_shifts()
        for elapsed in (300, 1080, 1800, 2520):
            night.play_to(elapsed)
            widths.append(width_of_forecast(client, game, elapsed))
            expect_width(fan, widths[-1])
            assert painted_at_the_end(fan) > LEAST_PAINTED
        assert widths == sorted(widths, reverse=True)
        assert widths[-1] < widths[0] / 2
        assert visit.take_shifts() == []
        assert visit.complaints == []


def width_of_forecast(client: ForecastClient, game: SteppedGame, elapsed: int) -> float:
    """Points between 5 % and 95 % of the final margin, once it is forecast at that clock."""
    deadline = time.monotonic() + 30
    while True:
        made = client.game(game.game_id).forecast
        if made is not None:
            clock = GameClock.parse(made.quarter, made.time_remaining)
            if clock.elapsed_seconds == elapsed:
                return made.final.quantiles["0.95"] - made.final.quantiles["0.05"]
        assert time.monotonic() < deadline, f"no forecast at {elapsed} s; got {made}"


def expect_width(fan: Locator, points: float) -> None:
    """The chart tells what it painted, at each painting."""
    drawn = "([fan, points]) => Math.abs(fan.dataset.bandWidth - points) < 0.06"
    fan.page.wait_for_function(drawn, arg=[fan.element_handle(), points])


def painted_at_the_end(fan: Locator) -> float:
    """The share of the chart's height that is painted a little before the end of the game."""
    return float(fan.evaluate(_PAINTED_AT_THE_END))


def test_a_broken_connection_is_shown_and_heals(
    browser: Browser, fused: ServiceProcess, client: ForecastClient
):
    night = SteppedNight(client, games=2, prefix="cut-")
    first, second = night.games
    night.register()
    night.play_to(600, [first])
    with Visit(browser, f"{fused.url}/") as visit:
        visit.until_live()
        expect(part(card(visit.page, first), "clock")).to_have_text("Q1 2:00")
        known = visit.page.locator(".card").count()
        assert visit.complaints == []
        # While it is offline, the page cannot come back before what it is to miss has happened.
        visit.set_offline(True)
        for replica in fused.members(FEED):
            os.kill(replica, signal.SIGKILL)
        expect(visit.page.locator("#link")).to_have_attribute("data-state", "lost")
        expect(visit.page.locator("#link")).to_contain_text("Reconnecting")
        expect(card(visit.page, first)).to_be_visible()
        night.play_to(1080, [first])
        night.play_to(900, [second])
        visit.set_offline(False)
        visit.until_live()
        made = client.prediction(first.game_id)
        expect(part(card(visit.page, first), "headline")).to_have_text(
            lead(first, made.point_forecast)
        )
        expect(part(card(visit.page, second), "clock")).to_have_text("Q2 9:00")
        expect(visit.page.locator(".card")).to_have_count(known)
        assert [line for line in visit.complaints if not is_of_the_cut(line)] == []
        visit.complaints.clear()
        night.play_to(1200)
        expect(part(card(visit.page, second), "clock")).to_have_text("Q2 4:00")
        assert visit.complaints == []


def is_of_the_cut(complaint: str) -> bool:
    """Whether it only says that the network or the feed's replica was away."""
    return bool(re.search(r"net::ERR_|WebSocket connection to|answered 503", complaint))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(
    browser: Browser, fused: ServiceProcess, evening: SteppedNight, scheme: Scheme
):
    found = []
    with Visit(browser, f"{fused.url}/", scheme=scheme) as visit:
        visit.until_live()
        for view in VIEWS:
            go_to(visit, view, evening.games[1])
            for one in Axe().run(visit.page).response["violations"]:
                elements = [node["html"] for node in one["nodes"]]
                found.append((view, one["id"], one["impact"], elements))
        assert found == []
        assert visit.complaints == []


# What a forecast made after an outage says of itself, which no game of the night does.
LONGEST_NOTES = """
for (const note of document.querySelectorAll(".frozen[data-part]"))
  note.textContent = "Frozen at Q2 6:00 (made after halftime, does not count), " +
    "4 minutes carried forward; revised beside it";
"""
TOO_WIDE = """
[...document.querySelectorAll("body *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth)
  .map((node) => `${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 60)}`)
  .slice(-20)
"""


def test_a_narrow_phone_never_scrolls_sideways(
    browser: Browser, fused: ServiceProcess, evening: SteppedNight
):
    with Visit(browser, f"{fused.url}/", viewport=NARROW) as visit:
        visit.until_live()
        for view in VIEWS:
            go_to(visit, view, evening.games[1])
            visit.page.evaluate(LONGEST_NOTES)
            width = visit.page.evaluate("document.documentElement.scrollWidth")
            assert width <= NARROW["width"], (view, visit.page.evaluate(TOO_WIDE))


def test_the_keyboard_alone_goes_from_the_night_to_a_similar_game_and_back(
    browser: Browser, fused: ServiceProcess, evening: SteppedNight
):
    game = evening.games[1]
    with Visit(browser, f"{fused.url}/") as visit:
        page = visit.page
        visit.until_live()
        expect(card(page, game)).to_be_visible()
        tab_to(page, "nav a[href='#/']")
        tab_to(page, f".card a[href='#/game/{game.game_id}']")
        page.keyboard.press("Enter")
        expect_view(page, "game")
        tab_to(page, "[data-part=dejavu-rows] :is(a, button)")
        expect(page.locator("[data-part=past]")).to_be_hidden()
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=past]")).to_be_visible()
        tab_to(page, "[data-part=past-close]")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=past]")).to_be_hidden()
        page.go_back()
        expect_view(page, "tonight")
        assert visit.complaints == []


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until such an element has the focus, and can be seen to have it."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            expect(page.locator(f"{selector}:focus")).to_be_in_viewport()
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_the_page_with_a_night_of_live_games_is_small(
    browser: Browser, fused: ServiceProcess, client: ForecastClient
):
    night = SteppedNight(client, games=15, prefix="small-")
    night.register()
    night.play_to(600)
    with Visit(browser, f"{fused.url}/") as visit:
        visit.until_live(cards=15)
        for view in VIEWS:
            go_to(visit, view, night.games[0])
        assert visit.load.answers_bytes <= PAGE_BYTES
