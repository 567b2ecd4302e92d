"""Repeats: an update that was taken before is answered as it was then."""

import json

from serve_app.api.problems import SequenceReused
from serve_app.game.game_session import GameSession
from serve_app.game.game_view import score_result
from serve_app.game.observation import Observation
from serve_app.schemas import ScoreResult


def repeated_result(session: GameSession, seen: Observation, first: str) -> ScoreResult:
    """The answer to an update that was journaled before as `first`, marked a duplicate.

    Raises SequenceReused where that one told another score: the scraper has used a sequence number
    twice, and this score was never taken.
    """
    told = json.loads(first)
    then = _score(told["quarter"], told["time_remaining"], told["score_home"], told["score_away"])
    now = _score(seen.clock.quarter, seen.clock.time_remaining, seen.score_home, seen.score_away)
    if now != then:
        raise SequenceReused(
            f"game {session.registration.game_id!r}: expected sequence {seen.sequence} to repeat "
            f"{then}; got {now}; number the updates on, or give this scraper a source of its own",
            game_id=session.registration.game_id,
            sequence=seen.sequence,
        )
    return score_result(session, seen, told["flags"], duplicate=True)


def _score(quarter: int, time_remaining: str, home: int, away: int) -> str:
    return f"Q{quarter} {time_remaining} {home}-{away}"
