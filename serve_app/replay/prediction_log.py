"""The service's own prediction log, read back page by page."""

from collections import defaultdict
from collections.abc import Collection

from serve_app.replay.delivery import Delivery
from serve_app.replay.errors import RefusedError
from serve_app.schemas import Prediction, PredictionLog

PAGE_SIZE = 100


async def read_predictions(
    delivery: Delivery, game_ids: Collection[str]
) -> dict[str, list[Prediction]]:
    """The logged predictions of these games; a game with none is absent.

    Raises RefusedError where the log cannot be read, DeliveryError where the service stays away.
    """
    wanted = set(game_ids)
    found: defaultdict[str, list[Prediction]] = defaultdict(list)
    since = 0
    while True:
        answer = await delivery.get(f"/predictions?since={since}&limit={PAGE_SIZE}")
        if not answer.is_success:
            raise RefusedError(
                f"reading the prediction log: expected status 200; got {answer.status_code}: "
                f"{answer.text[:200]}"
            )
        page = PredictionLog.model_validate_json(answer.content)
        for prediction in page.predictions:
            if prediction.game_id in wanted:
                found[prediction.game_id].append(prediction)
        if not page.predictions or page.next_since == since:
            return dict(found)
        since = page.next_since
