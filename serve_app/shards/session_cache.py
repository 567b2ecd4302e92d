"""The sessions of a shard, as a cache of the store: memory never holds what the store does not."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from serve_app.api.problems import Unavailable, UnknownGame
from serve_app.game.game_session import GameSession
from serve_app.schemas import GameRegistration
from serve_app.shards.running_pace import RunningPace
from serve_app.shards.session_journal import rebuild_session, sums_of
from serve_app.storage.errors import ArchiveError
from serve_app.storage.games import GameAdvance
from serve_app.storage.journal import JournalEntry, JournalRow
from serve_app.storage.store import Store

logger = logging.getLogger(__name__)

Notify = Callable[[Sequence[JournalRow]], object]


class SessionCache:
    """Sessions by game id; those used longest ago are let go, the store knows them still.

    A commit rests on the version of each game that was read. Where another shard, which believes
    that it holds the game too, was first, the store refuses it (`StaleWriteError`), and the
    sessions are read anew at their next use. `notify` is told of what was committed.
    """

    def __init__(self, store: Store, notify: Notify, most: int) -> None:
        self._store = store
        self._notify = notify
        self._most = most
        self._sessions: dict[str, GameSession] = {}
        self._paces: dict[str, RunningPace] = {}
        self._entries: list[JournalEntry] | None = None
        self._used: set[str] = set()
        self._changed: set[str] = set()
        self._payloads: dict[tuple[str, str | None], str] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[GameSession]:
        return iter(self._sessions.values())

    def get(self, game_id: str) -> GameSession:
        """The session of a registered game, rebuilt from the journal where it is not at hand.

        Raises UnknownGame.
        """
        session = self._sessions.pop(game_id, None) or self._rebuilt(game_id)
        self._sessions[game_id] = session  # as the newest
        self._used.add(game_id)
        if self._entries is None:
            self._let_go()
        return session

    def _rebuilt(self, game_id: str) -> GameSession:
        with self._store.reading():
            stored = self._store.games.get(game_id)
            if stored is None:
                raise UnknownGame.of(game_id)
            with of_one_game(game_id):
                scores = self._store.scores(stored)
            prediction = self._store.predictions.get(game_id)
            running = None if stored.ended else self._store.journal.running_forecast(game_id)
        return rebuild_session(stored, scores, prediction, running)

    def add(self, session: GameSession) -> None:
        """Take a new session, inside `writing`."""
        game_id = session.registration.game_id
        self._sessions[game_id] = session
        self._used.add(game_id)
        self._changed.add(game_id)

    def registration(self, game_id: str) -> GameRegistration | None:
        """What a game was registered with, or None."""
        try:
            return self.get(game_id).registration
        except UnknownGame:
            return None

    # --- writing ---------------------------------------------------------------------------

    def write(self, entry: JournalEntry) -> None:
        """Journal something that changed a game, inside `writing`."""
        if self._entries is None:
            raise RuntimeError("the journal: expected to be written inside `writing`")
        self._entries.append(entry)
        self._changed.add(entry.game_id)
        if entry.identity is not None:
            self._payloads[entry.game_id, entry.identity] = entry.payload

    def first_payload(self, game_id: str, identity: str) -> str | None:
        """The journaled update with this identity, of this transaction or before it; or None."""
        written = self._payloads.get((game_id, identity))
        with of_one_game(game_id):
            return written or self._store.score_payload(game_id, identity)

    def pace(self, game_id: str, interval: float) -> RunningPace:
        """The pace of a game's running forecasts, forgotten with its session."""
        return self._paces.setdefault(game_id, RunningPace(interval))

    def refresh(self, game_ids: Iterable[str]) -> None:
        """Let go of those of these sessions that another shard has changed, outside `writing`."""
        held = [game_id for game_id in game_ids if game_id in self._sessions]
        versions = self._store.games.versions(held) if held else {}
        for game_id in held:
            if self._sessions[game_id].version != versions.get(game_id):
                self._forget(game_id)

    def _forget(self, game_id: str) -> None:
        self._sessions.pop(game_id, None)
        self._paces.pop(game_id, None)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Commit all that is written inside as one; on failure forget what memory did.

        Inside another `writing` it is a part of that one.
        """
        if self._entries is not None:
            yield
            return
        self._entries, self._used = [], set()
        try:
            with self._store.writing():
                yield
                self._advance()
                rows = self._store.journal.append(self._entries)
            for game_id in self._changed:
                self._sessions[game_id].version += 1
        except BaseException:
            for game_id in self._used:
                self._forget(game_id)
            raise
        finally:
            self._entries = None
            self._changed.clear()
            self._payloads.clear()
            self._let_go()
        if rows:
            self._notify(rows)

    def _advance(self) -> None:
        """Write how the changed games stand now; always in one order, so no two writers lock."""
        if not self._changed:
            return
        changed = [self._sessions[game_id] for game_id in sorted(self._changed)]
        self._store.games.advance(
            [
                GameAdvance(
                    session.registration.game_id, session.version, session.day, sums_of(session)
                )
                for session in changed
            ]
        )

    def _let_go(self) -> None:
        while len(self._sessions) > self._most:
            self._forget(next(iter(self._sessions)))


@contextmanager
def of_one_game(game_id: str) -> Iterator[None]:
    """An archive that cannot be read is the trouble of this game, not of those beside it."""
    try:
        yield
    except ArchiveError as error:
        logger.error("%s", error, extra={"game_id": game_id})
        raise Unavailable(
            f"game {game_id!r}: its archived journal cannot be read", game_id=game_id
        ) from None
