"""The audit: what the store holds after a chaos run, against what was acknowledged.

All that knows how the store keeps things is in this module.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serve_app.chaos.ledger import Content, Ledger, frozen_text
from serve_app.replay.pace import MS
from serve_app.schemas import Prediction
from serve_app.settings import Settings
from serve_app.storage.store import Store

READ_ROWS = 1_000

Key = tuple[str, int]  # game id, sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNight:
    """What the store holds: the content of every journaled update, and the predictions.

    `predictions` counts those that the journal told of by game; `kept` are the stored ones.
    """

    updates: Mapping[Key, Sequence[Content]]
    predictions: Mapping[str, int]
    kept: Mapping[str, Sequence[Prediction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What became of the acknowledged updates and the predictions seen; ids of what did not hold.

    `lost` were acknowledged and are not in the store, `doubled` are in it more than once,
    `differing` say something else there. `predictions_differing` are games of which another
    prediction was seen than the stored one, or two different ones.
    """

    acknowledged: int
    duplicates: int
    found: int
    lost: list[str]
    doubled: list[str]
    differing: list[str]
    predictions_expected: int
    predictions_made: int
    predictions_missing: list[str]
    predictions_doubled: list[str]
    predictions_changed: list[str]


def read_store(settings: Settings) -> StoredNight:
    """Read all of the store that the settings name, past the service.

    Raises StoreUnavailableError where it cannot be read.
    """
    store = Store.existing(settings.data_dir, settings.store_url)
    updates: dict[Key, list[Content]] = {}
    told: dict[str, int] = {}
    try:
        for row in store.journal.all_after():
            if row.type == "prediction":
                told[row.game_id] = told.get(row.game_id, 0) + 1
            elif row.type == "score":
                sequence, content = _score(row.payload)
                updates.setdefault((row.game_id, sequence), []).append(content)
        return StoredNight(updates=updates, predictions=told, kept=_predictions(store))
    finally:
        store.close()


def _predictions(store: Store) -> dict[str, list[Prediction]]:
    kept: dict[str, list[Prediction]] = {}
    since = 0
    while page := store.predictions.page(since, READ_ROWS):
        for since, prediction in page:  # noqa: B007 - the last place is where the next page begins
            kept.setdefault(prediction.game_id, []).append(prediction)
    return kept


def _score(payload: str) -> tuple[int, Content]:
    """The sequence and the content of a journaled update."""
    score = json.loads(payload)
    minutes, _, seconds = score["time_remaining"].partition(":")
    remaining_ms = round((int(minutes) * 60 + float(seconds)) * MS)
    content = Content(score["quarter"], remaining_ms, score["score_home"], score["score_away"])
    return score["sequence"], content


def audit(ledger: Ledger, stored: StoredNight, expected: Sequence[str]) -> Audit:
    """Compare. `expected` are the games that should have a prediction each."""
    lost: list[str] = []
    doubled: list[str] = []
    differing: list[str] = []
    for key, told in ledger.acknowledged.items():
        found = stored.updates.get(key, ())
        name = f"{key[0]}#{key[1]}"
        if len(found) > 1:
            doubled.append(name)
        if any(content != told.content for content in found):
            differing.append(name)
        if not found:
            lost.append(name)
    seen = ledger.predictions
    made = [game for game in expected if stored.kept.get(game)]
    return Audit(
        acknowledged=len(ledger.acknowledged),
        duplicates=sum(told.duplicate for told in ledger.acknowledged.values()),
        found=len(ledger.acknowledged) - len(lost),
        lost=lost,
        doubled=doubled,
        differing=differing,
        predictions_expected=len(expected),
        predictions_made=len(made),
        predictions_missing=[game for game in expected if not stored.kept.get(game)],
        predictions_doubled=[game for game in made if _is_doubled(game, stored, ledger)],
        predictions_changed=sorted(
            game
            for game, one in seen.items()
            if one.differing
            or one.first not in {frozen_text(kept) for kept in stored.kept.get(game, ())}
        ),
    )


def _is_doubled(game: str, stored: StoredNight, ledger: Ledger) -> bool:
    """Whether a game's prediction was stored, journaled or shown as news more than once."""
    seen = ledger.predictions.get(game)
    return (
        len(stored.kept[game]) > 1
        or stored.predictions.get(game, 0) > 1
        or (seen is not None and len(seen.feed_seqs) > 1)
    )
