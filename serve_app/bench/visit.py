"""One visit to the page: what it loads, what it complains of, and what moves on it."""

import time
from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, ViewportSize

Scheme = Literal["light", "dark"]

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
QUIET_MILLISECONDS = 100
SETTLED_SECONDS = 30.0

# Before any script of the page. What follows the visitor's own key or click is not held against it.
_WATCH_SHIFTS = """
{
  globalThis.__shifts = [];
  const told = (entries) => {
    for (const { value, hadRecentInput, sources } of entries) {
      if (hadRecentInput) continue;
      const moved = sources.map(({ node, previousRect: from, currentRect: to }) => {
        const element = node instanceof Element ? node : node?.parentElement;
        const { part, view } = element?.dataset ?? {};
        const label = [element?.localName, ...(element?.classList ?? [])].join(".")
          + (part ?? view ? `[${part ?? view}]` : "");
        return `${label} ${from.x},${from.y},${from.width}x${from.height}`
          + ` to ${to.x},${to.y},${to.width}x${to.height}`;
      });
      globalThis.__shifts.push({ value, moved });
    }
  };
  const observer = new PerformanceObserver((list) => told(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  globalThis.__flushShifts = () => told(observer.takeRecords());
}
"""
# A shift is known once its frame has been shown.
_TAKE_SHIFTS = """
() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
  globalThis.__flushShifts();
  resolve(globalThis.__shifts.splice(0));
})))
"""
_TWO_FRAMES = """
() => new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(null))))
"""
_FIRST_PAINT = """
() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntriesByName("first-contentful-paint")[0];
    if (paint) resolve(paint.startTime);
  }).observe({ type: "paint", buffered: true });
})
"""


class Shift(TypedDict):
    """One layout shift: its score (share of the window moved × how far) and what moved."""

    value: float
    moved: list[str]


@dataclass(slots=True)
class Load:
    """Bytes that came: `requests` answers with their headers, and what the live feed said."""

    requests: int = 0
    answers_bytes: int = 0
    feed_bytes: int = 0


class Visit:
    """A page of the service in a context of its own, so that nothing of it is cached.

    `complaints` are the errors and warnings of the console, exceptions, failed requests and
    answers of 400 and above, in the order in which they came.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        viewport: ViewportSize = DESKTOP,
        scheme: Scheme = "light",
    ) -> None:
        self.url = url
        self.load = Load()
        self._awaited: set[str] = set()
        self.complaints: list[str] = []
        self._context = browser.new_context(
            viewport=viewport, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
        )
        self._context.add_init_script(_WATCH_SHIFTS)
        self.page: Page = self._context.new_page()
        self._listen()

    def _listen(self) -> None:
        self.page.on("console", self._heed)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("response", self._note_status)
        protocol = self._context.new_cdp_session(self.page)
        protocol.on("Network.requestWillBeSent", self._await_answer)
        protocol.on("Network.loadingFinished", self._count_answer)
        protocol.on("Network.loadingFailed", self._give_up_answer)
        protocol.on("Network.webSocketFrameReceived", self._count_frame)
        protocol.send("Network.enable")

    def __enter__(self) -> Self:
        """Go to the page; it is not live yet."""
        self.page.goto(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        self._context.close()

    def until_live(self, *, cards: int = 0) -> None:
        """Wait until the page hears the live feed and has drawn so many cards."""
        self.page.locator("#link[data-state=live]").wait_for()
        if cards:
            self.page.locator(".card").nth(cards - 1).wait_for()

    def settle(self) -> None:
        """Wait until the page has all it asked for, and hears and draws nothing new for a moment.

        Raises TimeoutError where that takes longer than `SETTLED_SECONDS`.
        """
        deadline = time.monotonic() + SETTLED_SECONDS
        before: tuple[int, int] | None = None
        while before != (now := (self.load.requests, self.load.feed_bytes)) or self._awaited:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"expected the page at rest within {SETTLED_SECONDS:g} s; "
                    f"{len(self._awaited)} requests are open"
                )
            before = now
            self.page.wait_for_timeout(QUIET_MILLISECONDS)
        self.page.evaluate(_TWO_FRAMES)

    def open(self, view: str) -> None:
        """Go to a view of the page, such as `game/0022301189`, as a link would."""
        self.page.goto(f"{self.url}#/{view}")

    def set_offline(self, offline: bool) -> None:
        """Take the network away from the page, or give it back."""
        self._context.set_offline(offline)

    def first_contentful_paint(self) -> float:
        """Milliseconds from the start of the navigation to the first text or drawing."""
        return float(self.page.evaluate(_FIRST_PAINT))

    def take_shifts(self) -> list[Shift]:
        """The layout shifts since the page began, or since they were last taken."""
        shifts: list[Shift] = self.page.evaluate(_TAKE_SHIFTS)
        return shifts

    def _heed(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _note_failure(self, request: Request) -> None:
        self.complaints.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _note_status(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"answered {response.status}: {response.url}")

    def _await_answer(self, event: dict[str, Any]) -> None:
        self._awaited.add(event["requestId"])

    def _give_up_answer(self, event: dict[str, Any]) -> None:
        self._awaited.discard(event["requestId"])

    def _count_answer(self, event: dict[str, Any]) -> None:
        self._awaited.discard(event["requestId"])
        self.load.requests += 1
        self.load.answers_bytes += int(event["encodedDataLength"])

    def _count_frame(self, event: dict[str, Any]) -> None:
        self.load.feed_bytes += len(event["response"]["payloadData"])
