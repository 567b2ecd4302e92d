"""The sessions of a shard, as a cache of the store: memory never holds what the store does not."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serve_app.api.problems import UnknownGame
from serve_app.game.game_session import GameSession
from serve_app.storage.journal import JournalEntry, rebuild_session
from serve_app.storage.store import Store


class SessionCache:
    """Sessions by game id; those that ended longest ago are let go, the store knows them still."""

    def __init__(self, store: Store, notify: Callable[[], object], ended_sessions: int) -> None:
        self._store = store
        self._notify = notify
        self._ended_sessions = ended_sessions
        self._sessions: dict[str, GameSession] = {}
        self._ended: deque[str] = deque()

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, game_id: str) -> GameSession:
        """The session of a registered game, rebuilt from the journal where it is not at hand.

        Raises UnknownGame.
        """
        session = self._sessions.get(game_id)
        if session is None:
            stored = self._store.game(game_id)
            if stored is None:
                raise UnknownGame.of(game_id)
            session = rebuild_session(
                stored.registration,
                self._store.scores(game_id),
                self._store.prediction(game_id),
                day=stored.day,
                running=self._store.running_forecast(game_id),
                ended=stored.ended,
            )
            self._sessions[game_id] = session
            if stored.ended:
                self.bound_ended(game_id)
        return session

    def add(self, session: GameSession) -> None:
        """Take a new session, inside `writing`."""
        self._sessions[session.registration.game_id] = session

    def bound_ended(self, game_id: str) -> None:
        """A game is over: let the session that ended longest ago go."""
        self._ended.append(game_id)
        if len(self._ended) > self._ended_sessions:
            self._sessions.pop(self._ended.popleft(), None)

    @contextmanager
    def writing(self, *game_ids: str) -> Iterator[list[JournalEntry]]:
        """Collect journal entries and commit them as one; on failure forget what memory did.

        The sessions of `game_ids` are then rebuilt from the store at their next use.
        """
        entries: list[JournalEntry] = []
        try:
            with self._store.transaction():
                yield entries
                self._store.append(entries)
        except BaseException:
            for game_id in game_ids:
                self._sessions.pop(game_id, None)
            raise
        if entries:
            self._notify()
