"""Debian's Chromium without a window, driven by Playwright; it reaches nothing but loopback."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

PROGRAM = "chromium"
# Playwright's own defaults keep the browser from syncing and updating itself. These are for running
# as root in a container, and for a browser that could not reach the internet if it wanted to.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class NoBrowserError(RuntimeError):
    """There is no browser here: says what to install."""


def browser_path() -> str:
    """The browser's program; raises NoBrowserError where there is none."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise NoBrowserError(
            f"expected {PROGRAM} in PATH; install Debian's package {PROGRAM} to drive the page"
        )
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with an empty profile of its own; raises NoBrowserError.

    While it is open, this thread can run no event loop: Playwright runs one beneath its calls.
    """
    program = browser_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
