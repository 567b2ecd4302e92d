"""Score updates that wait to be sent: in order, and bounded without losing a game minute."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from models.game.league import SECONDS_PER_MINUTE
from serve_app.schemas import GameScoreUpdate


@dataclass(slots=True, eq=False)
class QueuedUpdate:
    """One waiting update and its fate so far.

    Attributes:
        update: what to send.
        arrival: numbers the updates in the order they came.
        failures: how often the service answered this very update without taking or refusing it.
        elapsed_seconds: game seconds elapsed at the update.
        cell: the game and the game minute (1, 2, ...) that the update is evidence for. An update
            at the very end of a minute belongs to it: the margin at 6:00 is that of the last
            score at or before 6:00.
    """

    update: GameScoreUpdate
    arrival: int
    failures: int = 0
    elapsed_seconds: float = field(init=False)
    cell: tuple[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.elapsed_seconds = self.update.clock().elapsed_seconds
        minute = math.ceil(self.elapsed_seconds / SECONDS_PER_MINUTE)
        self.cell = self.update.game_id, max(minute, 1)

    def __str__(self) -> str:
        update = self.update
        score = f"{update.score_home}-{update.score_away}"
        return f"game {update.game_id} Q{update.quarter} {update.time_remaining} {score}"


class UpdateQueue:
    """A first-in, first-out queue of score updates that thins itself when it is full.

    The forecast rests on one score a game minute, so a full queue gives up detail inside the
    minutes, not minutes. Over the bound, one update goes at a time:

    1. Take the game and minute with the most waiting updates, the oldest of equals.
    2. Of these, the oldest stays: it is the evidence that the minute was seen at all. So does,
       while there is another choice, the one with the furthest game clock (the latest to arrive
       of equals): it is the minute's closing score, which the pattern is made of.
    3. Of the rest, the middle, the latest one that repeats the score of the one before it goes;
       if none does, the latest. With no middle left, the closing one goes.
    4. Where each game and minute has but its oldest update, the newest of all goes.

    So the oldest update of each game and minute is kept as long as the bound has room for one
    of each. Not safe to share between threads without a lock.
    """

    def __init__(self, bound: int) -> None:
        if bound < 1:
            raise ValueError(f"bound: expected 1 or more; got {bound}")
        self.bound = bound
        self.arrived = 0
        self.thinned = 0
        self._waiting: dict[int, QueuedUpdate] = {}
        self._cells: dict[tuple[str, int], list[QueuedUpdate]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, update: GameScoreUpdate) -> list[QueuedUpdate]:
        """Adds an update at the end; returns what had to go, which may be the update itself."""
        self.arrived += 1
        self._add(QueuedUpdate(update, self.arrived))
        return self._thin()

    def take(self, limit: int) -> list[QueuedUpdate]:
        """Removes and returns the oldest updates, `limit` at most."""
        taken = [entry for entry, _ in zip(self._waiting.values(), range(limit), strict=False)]
        for entry in taken:
            self._remove(entry)
        return taken

    def restore(self, entries: Iterable[QueuedUpdate]) -> list[QueuedUpdate]:
        """Puts taken updates back to their place in the order; returns what had to go."""
        everything = sorted([*entries, *self._waiting.values()], key=lambda entry: entry.arrival)
        self._waiting.clear()
        self._cells.clear()
        for entry in everything:
            self._add(entry)
        return self._thin()

    def holds(self, game_id: str) -> bool:
        """Whether an update of the game waits."""
        return any(game == game_id for game, _ in self._cells)

    def _add(self, entry: QueuedUpdate) -> None:
        self._waiting[entry.arrival] = entry
        self._cells.setdefault(entry.cell, []).append(entry)

    def _remove(self, entry: QueuedUpdate) -> None:
        del self._waiting[entry.arrival]
        cell = self._cells[entry.cell]
        cell.remove(entry)
        if not cell:
            del self._cells[entry.cell]

    def _thin(self) -> list[QueuedUpdate]:
        gone = []
        while len(self._waiting) > self.bound:
            densest = max(self._cells.values(), key=len)
            if len(densest) > 1:
                victim = _least_telling(densest)
            else:
                victim = self._waiting[next(reversed(self._waiting))]
            self._remove(victim)
            gone.append(victim)
        self.thinned += len(gone)
        return gone


def _least_telling(cell: list[QueuedUpdate]) -> QueuedUpdate:
    """Which of two or more updates of one game and minute to give up."""
    closing = max(cell[1:], key=lambda entry: (entry.elapsed_seconds, entry.arrival))
    middle = [entry for entry in cell[1:] if entry is not closing]
    if not middle:
        return closing
    repeats = [
        entry
        for before, entry in itertools.pairwise(cell)
        if entry is not closing and _score(entry) == _score(before)
    ]
    return (repeats or middle)[-1]


def _score(entry: QueuedUpdate) -> tuple[int, int]:
    return entry.update.score_home, entry.update.score_away
