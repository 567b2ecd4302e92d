"""Updates sent once more after all is over: each is to be answered as it was the first time."""

import json
import random
from collections.abc import Sequence
from typing import Any

from serve_app.chaos.ledger import Acknowledged, Ledger, frozen_text
from serve_app.replay.delivery import Delivery
from serve_app.replay.night import Night
from serve_app.replay.poll_stream import Update
from serve_app.replay.runner import message
from serve_app.schemas import Prediction

SAMPLE = 1_000
LIST_SIZE = 100


async def answered_otherwise(
    delivery: Delivery, night: Night, ledger: Ledger, *, seed: int
) -> tuple[int, list[str]]:
    """Send a sample of the acknowledged updates again.

    Returns how many, and which (`game#sequence`) were not answered as a duplicate with the content
    of the first answer. Raises DeliveryError where the service stays away.
    """
    known = [
        update
        for update in night.updates()
        if (update.game_id, update.sequence) in ledger.acknowledged
    ]
    sample = random.Random(seed).sample(known, min(SAMPLE, len(known)))  # noqa: S311 - no secret
    otherwise: list[str] = []
    for start in range(0, len(sample), LIST_SIZE):
        updates = sample[start : start + LIST_SIZE]
        otherwise += await _ask_again(delivery, updates, ledger)
    return len(sample), otherwise


async def _ask_again(delivery: Delivery, updates: Sequence[Update], ledger: Ledger) -> list[str]:
    body = json.dumps([message(update, with_game=True) for update in updates])
    answer = await delivery.post("/scores", body.encode())
    items = answer.json() if answer.is_success else [{}] * len(updates)
    return [
        f"{update.game_id}#{update.sequence}"
        for update, item in zip(updates, items, strict=True)
        if not is_same(ledger.acknowledged[update.game_id, update.sequence], item, ledger)
    ]


def is_same(first: Acknowledged, item: dict[str, Any], ledger: Ledger) -> bool:
    """Whether a list item answers a repeat as the first answer did, marked a duplicate."""
    result = item.get("result")
    if result is None or not result["duplicate"]:
        return False
    prediction = result.get("prediction")
    if prediction is not None:
        shown = Prediction.model_validate(prediction)
        seen = ledger.predictions.get(shown.game_id)
        if seen is None or frozen_text(shown) != seen.first:
            return False
    return (result["game_minute"], result["margin"], tuple(result.get("flags") or ())) == (
        first.game_minute,
        first.margin,
        first.flags,
    )
