"""Signatures of webhooks: how the service signs, and how a receiver verifies.

By Standard Webhooks 1.0 (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`,
several signatures with spaces between them. The convention's own library (`standardwebhooks` 1.1.0,
typed, without dependencies) signs text with one secret and neither makes nor rotates secrets, which
would leave it one line of these; so its answers are only tested against, and a receiver needs no
package but may use this module, which imports the standard library alone.

    event_id = verify(os.environ["HALFTIME_WEBHOOK_SECRET"], request.headers, request.body)
"""

import base64
import binascii
import hashlib
import hmac
import secrets as random_bits
import time
from collections.abc import Collection, Mapping

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin
SECRET_BYTES = 32
SHORTEST_SECRET = 24  # bytes, by the convention
TOLERANCE_SECONDS = 300
VERSION = "v1"
MOST_SIGNATURES = 20
LONGEST_TIMESTAMP = 12  # digits


class SignatureError(ValueError):
    """A request is not one of the service's, or an old one: it is not to be believed."""


def new_secret() -> str:
    """A secret of 256 random bits: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(random_bits.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature `v1,<base64>` of a message; raises ValueError where the secret is none."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def signed_headers(
    secrets: Collection[str], message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a message, signed by each of these secrets."""
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(
            signature(secret, message_id, timestamp, body) for secret in secrets
        ),
    }


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> str:
    """The id of a message that is genuine; the same id may come again, and means the same event.

    `body` is the request's as it came, byte by byte; the case of the headers' names is of no
    matter. Raises SignatureError, and ValueError where the secret is none.
    """
    named = {name.lower(): value for name, value in headers.items()}
    missing = [
        name for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER) if not named.get(name)
    ]
    if missing:
        raise SignatureError(f"expected the headers of a signed webhook; missing: {missing}")
    timestamp = _timestamp(named[TIMESTAMP_HEADER])
    expected = signature(secret, named[ID_HEADER], timestamp, body).encode()
    given = named[SIGNATURE_HEADER].split()[:MOST_SIGNATURES]
    # All are compared, each in constant time.
    if not sum(hmac.compare_digest(expected, one.encode()) for one in given):
        raise SignatureError("expected a signature by this secret; got none")
    age = (time.time() if now is None else now) - timestamp
    if abs(age) > tolerance_seconds:
        raise SignatureError(
            f"expected a message of the last {tolerance_seconds:g} s; its clock is {age:.0f} s off"
        )
    return named[ID_HEADER]


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_SECRET:
        raise ValueError(
            f"expected a secret of the form whsec_<base64 of {SHORTEST_SECRET} bytes or more>; got "
            "something else"
        )
    return key


def _timestamp(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_TIMESTAMP):
        raise SignatureError(f"{TIMESTAMP_HEADER}: expected seconds since 1970")
    return int(text)
