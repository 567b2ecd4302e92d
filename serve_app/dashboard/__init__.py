"""The dashboard: one page and its assets, served as they are, without a build step.

The ingress serves `page()` at `GET /` and `asset(name)` at `GET /assets/{name}`, both with the
header `Content-Security-Policy: CONTENT_SECURITY_POLICY`. The page talks to `/ws/live` and to the
routes for reading of the same origin, with a key to `/tickets` too, and to nothing else.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

_HTML = "text/html; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"

# Loaded with the page, then with the views that draw charts, then what is not ours.
_TONIGHT = (
    "dashboard.js",
    "announcer.js",
    "card.js",
    "chart.js",
    "key_lock.js",
    "link.js",
    "night.js",
    "parts.js",
    "record.js",
    "record_words.js",
    "reports.js",
    "router.js",
    "session.js",
    "silence.js",
    "stage.js",
    "tonight_view.js",
    "words.js",
)
_VIEWS = (
    "accuracy_view.js",
    "course.js",
    "dejavu.js",
    "dejavu_view.js",
    "fan.js",
    "figure.js",
    "game_figures.js",
    "game_view.js",
    "game_words.js",
    "plot.js",
    "record_figures.js",
    "similar_games.js",
    "spark.js",
    "system_view.js",
    "system_words.js",
)
VENDORED = {"uplot.js": _SCRIPT, "uplot.css": _STYLE}

ASSETS = {
    "dashboard.css": _STYLE,
    **dict.fromkeys(_TONIGHT, _SCRIPT),
    **dict.fromkeys(_VIEWS, _SCRIPT),
    **VENDORED,
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent: plain, and compressed for those who take gzip.

    `tag` names the content: whoever has it already need not be sent it again.
    """

    content: bytes
    gzipped: bytes
    media_type: str
    tag: str


@cache
def page() -> Asset:
    """The dashboard's HTML."""
    return _asset("index.html", _HTML)


@cache
def asset(name: str) -> Asset:
    """One asset; raises KeyError for a name not in `ASSETS`."""
    media_type = ASSETS[name]
    return _asset(f"vendor/{name}" if name in VENDORED else name, media_type)


def _asset(path: str, media_type: str) -> Asset:
    content = (files(__name__) / path).read_bytes()
    gzipped = gzip.compress(content, mtime=0)
    return Asset(content, gzipped, media_type, hashlib.sha256(content).hexdigest()[:16])
