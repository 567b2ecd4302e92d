import json
from dataclasses import fields
from typing import Any

import pytest
import sqlalchemy as sa

from serve_app.chaos.audit import Audit, audit, read_store
from serve_app.shards.game_shard import GameShard
from serve_app.storage.schema import journal, predictions
from tests.serve_app.chaos.conftest import GAME, MINUTES, Played, sent
from tests.serve_app.conftest import forecast

FAULTS = (
    "lost",
    "doubled",
    "differing",
    "predictions_missing",
    "predictions_doubled",
    "predictions_changed",
)


def faults(found: Audit) -> dict[str, list[str]]:
    return {name: getattr(found, name) for name in FAULTS if getattr(found, name)}


def doctor(played: Played, statement: sa.Executable) -> None:
    """Change the store behind the service's back."""
    with played.store.database.writing() as connection:
        connection.execute(statement)


def row_of(sequence: int) -> sa.ColumnElement[bool]:
    """The journal row of an update: the game's own row is the first."""
    return journal.c.seq == sequence + 2


def payload_of(played: Played, sequence: int) -> dict[str, Any]:
    with played.store.database.reading() as connection:
        text = connection.execute(sa.select(journal.c.payload).where(row_of(sequence))).scalar_one()
    payload: dict[str, Any] = json.loads(text)
    return payload


def test_a_night_that_kept_everything_passes(played: Played):
    found = played.audit()
    assert faults(found) == {}
    assert (found.acknowledged, found.found, found.duplicates) == (MINUTES, MINUTES, 0)
    assert (found.predictions_expected, found.predictions_made) == (1, 1)
    assert set(FAULTS) < {field.name for field in fields(found)}


def test_a_repeat_doubles_nothing(played: Played):
    assert played.post(GameShard(played.store), sent(4)).result.duplicate
    found = played.audit()
    assert faults(found) == {}
    assert (found.acknowledged, found.duplicates) == (MINUTES, 1)


def test_an_acknowledged_update_that_is_gone_is_lost(played: Played):
    doctor(played, journal.delete().where(row_of(4)))
    found = played.audit()
    assert faults(found) == {"lost": [f"{GAME}#4"]}
    assert found.found == MINUTES - 1


def test_an_update_that_is_there_twice_is_doubled(played: Played):
    again = json.dumps(payload_of(played, 4))
    row = {"game_id": GAME, "type": "score", "time": 0.0, "payload": again}
    doctor(played, journal.insert().values(row))
    assert faults(played.audit()) == {"doubled": [f"{GAME}#4"]}


def test_an_update_that_says_something_else_differs(played: Played):
    other = json.dumps({**payload_of(played, 4), "score_home": 99})
    doctor(played, journal.update().where(row_of(4)).values(payload=other))
    assert faults(played.audit()) == {"differing": [f"{GAME}#4"]}


def test_a_prediction_that_is_gone_is_missing_and_no_longer_what_was_seen(played: Played):
    doctor(played, predictions.delete())
    assert faults(played.audit()) == {"predictions_missing": [GAME], "predictions_changed": [GAME]}


def test_a_prediction_told_twice_is_doubled(played: Played):
    row = {"game_id": GAME, "type": "prediction", "time": 0.0, "payload": "{}"}
    doctor(played, journal.insert().values(row))
    assert faults(played.audit()) == {"predictions_doubled": [GAME]}


def test_a_prediction_that_came_twice_on_the_feed_is_doubled(played: Played):
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    played.ledger.saw(kept, 20)
    assert faults(played.audit()) == {}
    played.ledger.saw(kept, 21)
    assert faults(played.audit()) == {"predictions_doubled": [GAME]}


def test_a_digit_that_changed_is_a_changed_prediction(played: Played):
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    frozen = kept.model_copy(update={"point_forecast": kept.point_forecast + 1e-12})
    doctor(played, predictions.update().values(frozen=frozen.model_dump(mode="json")))
    assert faults(played.audit()) == {"predictions_changed": [GAME]}


def test_two_different_predictions_seen_are_a_changed_one(played: Played):
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    played.ledger.saw(kept.model_copy(update={"model_version": "another"}))
    assert faults(played.audit()) == {"predictions_changed": [GAME]}


def test_revisions_and_outcome_change_no_prediction(played: Played):
    shard = GameShard(played.store)
    late = sent(16, home=30)._replace(sequence=MINUTES)
    due = played.post(shard, late).due
    assert due is not None
    revised = shard.forecasts.record(due, forecast(9.0))
    assert revised.revisions
    played.ledger.saw(revised)
    assert faults(played.audit()) == {}


@pytest.mark.parametrize("games", [[GAME, "g2"], ["g2"]])
def test_a_game_without_any_prediction_is_missing_one(played: Played, games: list[str]):
    found = audit(played.ledger, read_store(played.settings), games)
    assert found.predictions_missing == ["g2"]
    assert found.predictions_expected == len(games)
