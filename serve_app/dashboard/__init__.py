"""The dashboard: one page and its assets, served as they are, without a build step.

The ingress serves `page()` at `GET /` and `asset(name)` at `GET /assets/{name}`, both with the
header `Content-Security-Policy: CONTENT_SECURITY_POLICY`. The page talks to `/ws/live`,
`/accuracy`, `/models` and, with a key, `/tickets` of the same origin and to nothing else.
"""

from functools import cache
from importlib.resources import files

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

_SCRIPT = "text/javascript; charset=utf-8"

ASSETS = {
    "dashboard.css": "text/css; charset=utf-8",
    "dashboard.js": _SCRIPT,
    "link.js": _SCRIPT,
    "session.js": _SCRIPT,
    "night.js": _SCRIPT,
    "card.js": _SCRIPT,
    "chart.js": _SCRIPT,
    "words.js": _SCRIPT,
}


@cache
def page() -> str:
    """The dashboard's HTML."""
    return (files(__name__) / "index.html").read_text(encoding="utf-8")


@cache
def asset(name: str) -> tuple[bytes, str]:
    """The content and the media type of one asset; raises KeyError for a name not in `ASSETS`."""
    media_type = ASSETS[name]
    return (files(__name__) / name).read_bytes(), media_type
