"""A night read from the store, which a service may use meanwhile."""

import datetime
from statistics import median

from models.game.league import LEAGUES
from models.training.bundle import Bundle
from serve_app.game.score_buffer import LiveScoreBuffer
from serve_app.model.accuracy import accuracy_days
from serve_app.night_report.night import (
    FeedLag,
    Night,
    NightError,
    NightGame,
    first_half,
    season_start,
)
from serve_app.shards.session_journal import observation_of
from serve_app.storage.store import Store


def night_of_store(store: Store, bundle: Bundle, day: datetime.date) -> Night:
    """The night as the journal and the prediction log have it.

    Persistence gets the interval that its errors in the bundle ask for. Raises NightError where the
    store has no game of that day, and StoreError.
    """
    with store.reading():
        game_ids = store.games.of_day(day)
        if not game_ids:
            raise NightError(f"expected a day with games; the store has none of {day}")
        return Night(
            day,
            "the store",
            tuple(_game(store, game_id) for game_id in game_ids),
            accuracy_days(store, bundle, season_start(day), day),
        )


def _game(store: Store, game_id: str) -> NightGame:
    stored = store.games.get(game_id)
    if stored is None:
        raise NightError(f"game {game_id!r}: expected it in the store; it is gone")
    game = stored.registration
    buffer = LiveScoreBuffer(game_id, game.home_team, game.away_team, LEAGUES[game.league])
    updates = corrections = 0
    lags = []
    for row in store.journal_of(stored):
        if row.type != "score":
            continue
        observation = observation_of(row.payload, game.league)
        effect = buffer.observe(observation)
        updates += 1
        corrections += "score_decreased" in effect.flags
        if observation.timestamp is not None:
            lags.append(row.time - observation.timestamp)
    return NightGame(
        game_id=game_id,
        home_team=game.home_team,
        away_team=game.away_team,
        state="ended" if stored.ended else stored.sums.state if stored.sums else "unknown",
        prediction=store.predictions.get(game_id),
        course=first_half(buffer.margin_course()),
        updates=updates,
        corrections=corrections,
        missing_minutes=tuple(buffer.missing_minutes()),
        lag=FeedLag(median(lags), max(lags)) if lags else None,
    )
