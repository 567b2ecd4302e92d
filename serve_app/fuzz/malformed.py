"""Bodies that no route may take: a seeded corpus, broken in every way that bodies break.

Each attack comes with the route it is sent to. What is still a good request after it was broken
is left out: `is_good` reads it as the service would.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import BaseModel, ValidationError

from serve_app.schemas import (
    EXAMPLE_PATTERN,
    GameRegistration,
    GameScoreUpdate,
    PredictRequest,
    ScoreUpdate,
)

JSON = "application/json"
GAME = "fuzz-1"
# The service's own limits, as they are by default.
MAX_BODY_BYTES = 1_000_000
MAX_LIST_ITEMS = 500
DEEPEST = 100_000
MOST_FIELDS = 5_000


@dataclass(frozen=True, slots=True)
class Target:
    """A POST route: what it takes, and a good body, of one item where it takes a list."""

    path: str
    kind: type[BaseModel]
    good: Mapping[str, Any]
    is_list: bool = False

    def body(self, item: object) -> object:
        """The item as the route takes it."""
        return [item] if self.is_list else item


@dataclass(frozen=True, slots=True)
class Attack:
    """One request with a body that is no good."""

    kind: str
    target: Target
    content: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})


UPDATE = {"quarter": 2, "time_remaining": "6:30", "score_home": 40, "score_away": 38}
UPDATE |= {"timestamp": "2024-01-05T19:30:00Z", "sequence": 7}
PREDICT = {"pattern": EXAMPLE_PATTERN, "alpha": 0.1, "home_team": "BOS", "away_team": "LAL"}
PREDICT |= {"date": "2024-01-05", "last_score": "home", "seconds_since_score": 12.0, "lines": [1.5]}
TARGETS = (
    Target("/predict", PredictRequest, PREDICT),
    Target("/predict/batch", PredictRequest, PREDICT, is_list=True),
    Target(
        "/games",
        GameRegistration,
        {"game_id": GAME, "home_team": "BOS", "away_team": "LAL", "expected_margin": 2.5},
    ),
    Target(f"/games/{GAME}/scores", ScoreUpdate, UPDATE),
    Target("/scores", GameScoreUpdate, {**UPDATE, "game_id": GAME}, is_list=True),
)
WRONG: tuple[object, ...] = (
    *(None, True, False, "", " ", "x", "0", [], {}, [[]], {"a": 1}, -1, 10**18, -(10**30)),
    *(1e308, -1e-308, "NaN", "\0", "\ud800", "<script>", "' OR 1=1 --", "9" * 5_000, [0] * 5_000),
)
# In a place of its own in the text, because no JSON writer writes these.
NUMBERS: tuple[str, ...] = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e400",
    "-1e400",
    "9" * 400,
    "9" * 5_000,
    "0x10",
    "01",
)
NUMBERS += ("1_000", "+1", ".5", "5.", "1e", "--1", "1e999999999", "٣", "½")
TYPES: tuple[str, ...] = (
    "text/plain",
    "text/json",
    "application/xml",
    "multipart/form-data; boundary=x",
    "json",
)
TYPES += ("application/x-www-form-urlencoded", "application/octet-stream", "", "?", ";;;")
CODINGS = ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x")
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig", "utf-7")


def attacks(seed: int, count: int) -> Iterator[Attack]:
    """`count` attacks, the same for the same seed, every kind and route as often as another."""
    random = Random(seed)  # noqa: S311 - a corpus has to come again
    made = 0
    while made < count:
        kind = KINDS[made % len(KINDS)]
        target = TARGETS[made // len(KINDS) % len(TARGETS)]
        attack = _attack(kind, random, target)
        if not is_good(attack):
            made += 1
            yield attack


def _attack(kind: str, random: Random, target: Target) -> Attack:
    made = MAKERS[kind](random, target)
    if isinstance(made, bytes):
        return Attack(kind, target, made)
    content, headers = made
    return Attack(kind, target, content, headers)


def is_good(attack: Attack) -> bool:
    """Whether some of it is a good request after all; of a list, whether one item is."""
    headers = attack.headers
    if headers.get("content-type", "").partition(";")[0] != JSON or "content-encoding" in headers:
        return False
    if len(attack.content) > MAX_BODY_BYTES:
        return False
    try:
        read = json.loads(attack.content.decode())
    except (ValueError, RecursionError):
        return False
    if attack.target.is_list and not isinstance(read, list):
        return False
    items = read if attack.target.is_list else [read]
    return len(items) <= MAX_LIST_ITEMS and (
        not items or any(_valid(attack.target.kind, item) for item in items)
    )


def _valid(kind: type[BaseModel], item: object) -> bool:
    try:
        kind.model_validate(item)
    except ValidationError:
        return False
    return True


def _text(target: Target, changes: Mapping[str, object] | None = None) -> str:
    return json.dumps(target.body({**target.good, **(changes or {})}))


def _field(random: Random, target: Target) -> str:
    return random.choice(sorted(target.good))


def _truncated(random: Random, target: Target) -> bytes:
    text = _text(target)
    return text[: random.randrange(1, len(text))].encode()


def _wrong_type(random: Random, target: Target) -> bytes:
    return _text(target, {_field(random, target): random.choice(WRONG)}).encode()


def _missing(random: Random, target: Target) -> bytes:
    kept = random.sample(sorted(target.good), random.randrange(len(target.good)))
    return json.dumps(target.body({name: target.good[name] for name in kept})).encode()


def _unknown(random: Random, target: Target) -> bytes:
    many = random.choice((1, 2, 50, MOST_FIELDS))
    return _text(target, {f"{random.random()}": 0 for _ in range(many)}).encode()


def _nested(random: Random, target: Target) -> bytes:
    depth = random.choice((3, 60, 900, 1_100, 9_000, DEEPEST))
    opening, closing = random.choice((("[", "]"), ('{"a":', "}"), ('[{"pattern":', "}]")))
    inner = opening * depth + "0" + closing * random.choice((0, 1, depth))
    name = _field(random, target)
    return random.choice((inner, _text(target, {name: "@"}).replace('"@"', inner))).encode()


def _number(random: Random, target: Target) -> bytes:
    text = _text(target, {_field(random, target): "@"})
    return text.replace('"@"', random.choice(NUMBERS)).encode()


def _duplicate_key(random: Random, target: Target) -> bytes:
    name = _field(random, target)
    once = json.dumps(target.good)[:-1]
    again = "".join(f', "{name}": {json.dumps(random.choice(WRONG))}' for _ in range(3))
    item = f"{once}{again}}}"
    return (f"[{item}]" if target.is_list else item).encode()


def _surrogate(random: Random, target: Target) -> bytes:
    text = _text(target, {_field(random, target): "@"})
    raw = random.choice((b"\\ud800", b"\\udfff\\ud800", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf"))
    return text.encode().replace(b"@", raw)


def _encoding(random: Random, target: Target) -> bytes:
    encoding = random.choice(ENCODINGS)
    # UTF-7 differs from ASCII only where there is something else.
    changes = {_field(random, target): "é"} if encoding == "utf-7" else None
    return json.dumps(target.body({**target.good, **(changes or {})})).encode(encoding)


def _compressed(random: Random, target: Target) -> tuple[bytes, dict[str, str]]:
    content = _text(target).encode()
    if random.random() < 0.5:
        content = gzip.compress(content * random.choice((1, 1_000)), mtime=0)
    return content, {"content-type": JSON, "content-encoding": random.choice(CODINGS)}


def _content_type(random: Random, target: Target) -> tuple[bytes, dict[str, str]]:
    kind = random.choice(TYPES)
    return _text(target).encode(), {"content-type": kind} if kind else {}


def _other_json(random: Random, target: Target) -> bytes:
    whole = random.choice(("", " ", "null", "0", '"x"', "true", "{}", "[]", "[null]", "[[]]"))
    return (whole if not target.is_list or whole != "[]" else "{}").encode()


def _mutated(random: Random, target: Target) -> bytes:
    content = bytearray(_text(target).encode())
    for _ in range(random.randint(1, 6)):
        place = random.randrange(len(content))
        match random.randrange(3):
            case 0:
                content[place] = random.randrange(256)
            case 1:
                content[place:place] = random.randbytes(random.randint(1, 8))
            case _:
                del content[place : place + random.randint(1, 8)]
        content = content or bytearray(b"[")
    return bytes(content)


def _garbage(random: Random, _: Target) -> bytes:
    return random.randbytes(random.choice((1, 10, 1_000, 60_000)))


def _too_much(random: Random, target: Target) -> bytes:
    if target.is_list and random.random() < 0.5:
        return json.dumps([0] * random.choice((10_001, 100_000))).encode()
    return _text(target).encode() + b" " * random.choice((1_000_000, 1_200_000))


def _appended(random: Random, target: Target) -> bytes:
    return _text(target).encode() + random.choice((b"{}", b"]", b"\0", b"//", b",", b"GET / HTTP"))


Made = bytes | tuple[bytes, dict[str, str]]
MAKERS: dict[str, Callable[[Random, Target], Made]] = {
    "truncated": _truncated,
    "wrong type": _wrong_type,
    "missing": _missing,
    "unknown fields": _unknown,
    "nested": _nested,
    "number": _number,
    "duplicate key": _duplicate_key,
    "surrogate": _surrogate,
    "encoding": _encoding,
    "compressed": _compressed,
    "content type": _content_type,
    "other JSON": _other_json,
    "mutated": _mutated,
    "garbage": _garbage,
    "too much": _too_much,
    "appended": _appended,
}
KINDS = tuple(MAKERS)
