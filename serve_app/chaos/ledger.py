"""What a chaos run keeps apart from the service: all that was acknowledged or shown to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serve_app.replay.poll_stream import Update
from serve_app.schemas import Prediction

FROZEN_EXCEPT = {"revisions", "outcome"}


class Content(NamedTuple):
    """What an update says: clock in milliseconds, score in points."""

    quarter: int
    remaining_ms: int
    score_home: int
    score_away: int


class Acknowledged(NamedTuple):
    """An update that was answered with 200: what it said, and the answer."""

    content: Content
    duplicate: bool
    game_minute: int
    margin: int
    flags: tuple[str, ...]


class Span(NamedTuple):
    """An update under way: monotonic seconds from its first sending to its acknowledgement."""

    first_sent: float
    acknowledged: float


@dataclass(slots=True)
class SeenPrediction:
    """The prediction of one game as it was first seen, and every one that differed from it.

    All are the frozen part as JSON text; `feed_seqs` are the sequence numbers of its messages.
    """

    first: str
    differing: list[str] = field(default_factory=list)
    feed_seqs: set[int] = field(default_factory=set)


class Ledger:
    """The evidence. Given to a Runner as its witness; `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._first_sent: dict[tuple[str, int], float] = {}
        self.acknowledged: dict[tuple[str, int], Acknowledged] = {}
        self.spans: list[Span] = []
        self.predictions: dict[str, SeenPrediction] = {}

    def sent(self, updates: Sequence[Update]) -> None:
        """These updates are about to be sent for the first time."""
        moment = self._now()
        for update in updates:
            self._first_sent[update.game_id, update.sequence] = moment

    def answered(self, update: Update, result: dict[str, Any]) -> None:
        """An update was acknowledged."""
        key = (update.game_id, update.sequence)
        self.acknowledged[key] = Acknowledged(
            content_of(update),
            result["duplicate"],
            result["game_minute"],
            result["margin"],
            tuple(result.get("flags") or ()),
        )
        span = Span(self._first_sent.pop(key), self._now())
        self.spans.append(span)
        if result.get("prediction") is not None:
            self.saw(Prediction.model_validate(result["prediction"]))

    def saw(self, prediction: Prediction, feed_seq: int | None = None) -> None:
        """A prediction was shown, by an answer or by a message of the live feed."""
        text = frozen_text(prediction)
        seen = self.predictions.setdefault(prediction.game_id, SeenPrediction(text))
        if text != seen.first and text not in seen.differing:
            seen.differing.append(text)
        if feed_seq is not None:
            seen.feed_seqs.add(feed_seq)


def content_of(update: Update) -> Content:
    """What an update says."""
    return Content(update.quarter, update.remaining_ms, update.score_home, update.score_away)


def frozen_text(prediction: Prediction) -> str:
    """The part of a prediction that never changes, as JSON text with every digit."""
    return prediction.model_dump_json(exclude=FROZEN_EXCEPT)
