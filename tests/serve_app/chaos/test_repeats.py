import pytest

from serve_app.chaos.repeats import is_same
from tests.serve_app.chaos.conftest import GAME, Played

TOLD = {"duplicate": True, "game_minute": 5, "margin": 5, "flags": []}


def item(**changes: object) -> dict[str, object]:
    return {"status": 200, "result": {**TOLD, **changes}}


def test_a_repeat_that_is_answered_as_the_first_was_is_the_same(played: Played):
    (kept,) = (prediction for _, prediction in played.store.predictions.page(0, 10))
    first = played.ledger.acknowledged[GAME, 4]
    assert is_same(first, item(), played.ledger)
    assert is_same(first, item(prediction=kept.model_dump(mode="json")), played.ledger)
    other = kept.model_copy(update={"point_forecast": 1.5}).model_dump(mode="json")
    assert not is_same(first, item(prediction=other), played.ledger)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 409, "problem": {"status": 409}},
        item(duplicate=False),
        item(margin=6),
        item(game_minute=6),
        item(flags=["score_jump"]),
    ],
)
def test_a_repeat_that_is_answered_otherwise_is_not(played: Played, answer: dict[str, object]):
    assert not is_same(played.ledger.acknowledged[GAME, 4], answer, played.ledger)
