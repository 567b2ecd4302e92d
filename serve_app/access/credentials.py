"""Where a request carries its key: in one of two headers, never in the URL."""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from starlette.datastructures import Headers

from serve_app.access.keys import KEY_FORM
from serve_app.api.problems import MisplacedKey, Unauthorized

# Parameters by which services of this kind are handed keys.
KEY_PARAMETERS = frozenset(
    {"apikey", "xapikey", "key", "token", "accesstoken", "authtoken", "authorization", "bearer"}
    | {"secret", "ticket"}
)
_KEY = re.compile(KEY_FORM)


def header_key(headers: Headers) -> str | None:
    """The key of `Authorization: Bearer` or `X-API-Key`; None where there is none.

    Raises MisplacedKey where several differ, Unauthorized for another kind of authorization.
    """
    bearers = [_bearer(value) for value in headers.getlist("authorization")]
    found = {*bearers, *(value.strip() for value in headers.getlist("x-api-key"))}
    if len(found) > 1:
        raise MisplacedKey(
            "expected one API key in Authorization: Bearer or in X-API-Key; got several that differ"
        )
    return next(iter(found), None)


def _bearer(value: str) -> str:
    scheme, _, key = value.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized("expected Authorization: Bearer KEY, or X-API-Key: KEY")
    return key.strip()


def expect_no_key(path: str, query: bytes) -> None:
    """Raise MisplacedKey where a URL carries a key: by its form, in the query by its name too.

    `path` is decoded, `query` is not.
    """
    text = unquote_plus(query.decode("latin-1"))
    if _KEY.search(path) or _KEY.search(text) or KEY_PARAMETERS & set(_names(query)):
        raise MisplacedKey(
            "expected no API key in the URL, where logs and histories keep it; send it as "
            "Authorization: Bearer KEY, and revoke one that was sent this way: scripts/keys.py"
        )


def _names(query: bytes) -> Iterable[str]:
    """The parameters' names, without what people put between words."""
    for pair in query.decode("latin-1").split("&"):
        yield re.sub(r"[^a-z]", "", unquote_plus(pair.partition("=")[0]).lower())
