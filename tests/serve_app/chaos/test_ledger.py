from itertools import count

import pytest

from serve_app.chaos.ledger import Content, Ledger, Span
from tests.serve_app.chaos.conftest import GAME, Played, sent


def answer(**more: object) -> dict[str, object]:
    result = {"game_id": GAME, "accepted": True, "duplicate": False, "game_minute": 1, "margin": 1}
    return {**result, **more}


@pytest.fixture
def ledger() -> Ledger:
    seconds = count()
    return Ledger(lambda: float(next(seconds)))


def test_an_update_is_under_way_from_its_first_sending_to_its_answer(ledger: Ledger):
    ledger.sent([sent(0), sent(1)])
    ledger.answered(sent(1), answer(duplicate=True, flags=["score_jump"]))
    assert ledger.spans == [Span(0.0, 1.0)]
    assert list(ledger.acknowledged) == [(GAME, 1)]
    ledger.answered(sent(0), answer())
    assert ledger.spans == [Span(0.0, 1.0), Span(0.0, 2.0)]
    told = ledger.acknowledged[GAME, 1]
    assert told.content == Content(1, 600_000, 2, 0)
    assert (told.duplicate, told.flags) == (True, ("score_jump",))


def test_a_prediction_in_an_answer_is_kept_with_every_digit(played: Played):
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    ledger = Ledger(lambda: 0.0)
    ledger.sent([sent(17)])
    ledger.answered(sent(17), answer(prediction=kept.model_dump(mode="json")))
    assert ledger.predictions[GAME].first == played.ledger.predictions[GAME].first
    ledger.saw(kept.model_copy(update={"interval_lower": -8.000000000000002}))
    assert len(ledger.predictions[GAME].differing) == 1
