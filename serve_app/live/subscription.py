"""Subscriptions: which messages a watcher wants, and from where it goes on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, get_args

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import QueryParams

from serve_app.api.problems import InvalidRequest
from serve_app.live.message import Message
from serve_app.schemas import ChangeType, GameId

SYSTEM = "system"
TYPES: frozenset[str] = frozenset({SYSTEM, *get_args(ChangeType)})
PARAMETERS = frozenset({"since", "game", "type"})
MOST_GAMES = 200
GAME_ID: TypeAdapter[str] = TypeAdapter(GameId)
LONGEST_SEQ = 18  # digits


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a watcher asks for: changes after `since`, of some games and types; None for all."""

    since: int | None = None
    games: frozenset[str] | None = None
    types: frozenset[str] | None = None

    def wants(self, message: Message) -> bool:
        """Whether a change is one that was asked for."""
        return (self.games is None or message.game_id in self.games) and (
            self.types is None or message.type in self.types
        )

    @property
    def wants_system(self) -> bool:
        """Whether it names the type `system`, which nobody gets who does not."""
        return self.types is not None and SYSTEM in self.types


def subscription_of(query: QueryParams, last_event_id: str | None = None) -> Subscription:
    """The subscription in a query: `since=12&game=g1&game=g2&type=score&type=prediction`.

    `last_event_id` is the header by which an EventSource says where it was; it is newer than the
    `since` of the address. Raises InvalidRequest.
    """
    unknown = sorted(set(query) - PARAMETERS)
    if unknown:
        _refuse(unknown[0], query[unknown[0]], f"one of the parameters {sorted(PARAMETERS)}")
    since = query.get("since") if last_event_id is None else last_event_id
    games, types = query.getlist("game"), query.getlist("type")
    for kind in types:
        if kind not in TYPES:
            _refuse("type", kind, f"one of {sorted(TYPES)}")
    for game in games:
        try:
            GAME_ID.validate_python(game)
        except ValidationError:
            _refuse("game", game, "the id of a game: letters, digits and _ . : -, at most 64")
    if len(games) > MOST_GAMES:
        _refuse("game", f"{len(games)} games", f"at most {MOST_GAMES} games")
    return Subscription(None if since is None else _seq(since), _some(games), _some(types))


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_SEQ):
        _refuse("since", text, "the seq of a message: a whole number from 0")
    return int(text)


def _some(values: Iterable[str]) -> frozenset[str] | None:
    return frozenset(values) or None


def _refuse(field: str, value: str, expected: str) -> NoReturn:
    shown = value[:100]
    raise InvalidRequest(
        f"{field}: expected {expected}; got {shown!r}",
        errors=[{"field": field, "value": shown, "expected": expected}],
    )
