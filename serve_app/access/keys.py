"""API keys: `htf<id>_<secret>`, of which only a hash of the secret is kept.

The part before the underscore is public: a key is looked up, listed and revoked by it, and secret
scanners find a leaked key by its form (`KEY_FORM`).
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from serve_app.access.scopes import SCOPES, Scope

ID_CHARACTERS = 12
SECRET_BYTES = 32
LONGEST_NAME = 80
KEY_FORM = r"htf[a-z2-7]{12}_[A-Za-z0-9_-]{43}"

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PARTS = re.compile(r"(htf[a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key; times are seconds since the epoch."""

    key_id: str
    secret_hash: str = field(repr=False)
    name: str
    scopes: frozenset[Scope]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    def valid_at(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `text` is told once and kept nowhere."""

    record: KeyRecord
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a request brings it."""

    key_id: str
    secret: str = field(repr=False)


def new_key(
    name: str, scopes: Collection[str], *, now: float, expires_at: float | None = None
) -> NewKey:
    """Make a key of 256 random bits; raises ValueError where name, scopes or expiry are wrong."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"name: expected 1 to {LONGEST_NAME} printable characters; got {name!r}")
    known = frozenset(scope for scope in SCOPES if scope in scopes)
    if not known or len(known) != len(set(scopes)):
        raise ValueError(f"scopes: expected some of {', '.join(SCOPES)}; got {sorted(scopes)}")
    if expires_at is not None and not now < expires_at < float("inf"):
        raise ValueError("expires_at: expected a time in the future")
    key_id = "htf" + "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    record = KeyRecord(key_id, secret_hash(secret), name, known, now, expires_at)
    return NewKey(record, f"{key_id}_{secret}")


def presented(text: str) -> PresentedKey | None:
    """A key taken apart; None where the text has not the form of one."""
    parts = _PARTS.fullmatch(text)
    return PresentedKey(parts[1], parts[2]) if parts else None


def secret_hash(secret: str) -> str:
    """SHA-256 of a secret, as hexadecimal text.

    A slow, salted hash guards passwords, which people choose and attackers can guess. These
    secrets are 256 random bits: there is no list to try and no two are alike, so a fast hash is
    as safe, and it is computed with every request.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(record: KeyRecord | None, key: PresentedKey) -> bool:
    """Whether the secret is that of the record; as much work where there is no record."""
    expected = _NO_HASH if record is None else record.secret_hash
    same = hmac.compare_digest(expected, secret_hash(key.secret))
    return same and record is not None
