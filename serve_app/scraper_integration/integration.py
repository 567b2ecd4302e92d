"""A scraper's callbacks over a LivePredictionService.

The scraper calls `on_game_start_callback`, `on_score_update_callback` and
`on_game_end_callback`; none of them ever raises.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from serve_app.client.exchange import DEFAULT_URL
from serve_app.scraper_integration.live_prediction_service import (
    LivePredictionService,
    PredictionCallback,
)

log = logging.getLogger(__name__)

GAME_KEYS = ("game_id", "home_team", "away_team")
SCORE_KEYS = ("game_id", "quarter", "time_remaining", "score_home", "score_away")


class ScraperIntegration:
    """A scraper's callbacks over a LivePredictionService; keys beyond the named are ignored."""

    def __init__(self, prediction_service: LivePredictionService) -> None:
        self.prediction_service = prediction_service

    def on_game_start(self, game_data: Mapping[str, Any]) -> None:
        """A game begins: `game_id`, `home_team`, `away_team`; if known `start_time`, `playoffs`."""
        with _nothing_raised("on_game_start"):
            if _has("on_game_start", game_data, GAME_KEYS):
                self.prediction_service.register_game(
                    game_data["game_id"],
                    game_data["home_team"],
                    game_data["away_team"],
                    game_data.get("start_time"),
                    playoffs=bool(game_data.get("playoffs", False)),
                )

    def on_score_update(self, score_data: Mapping[str, Any]) -> None:
        """A score was seen: the five of `SCORE_KEYS` and, if known, `timestamp`."""
        with _nothing_raised("on_score_update"):
            if _has("on_score_update", score_data, SCORE_KEYS):
                self.prediction_service.process_score_update(
                    score_data["game_id"],
                    score_data["quarter"],
                    score_data["time_remaining"],
                    score_data["score_home"],
                    score_data["score_away"],
                    score_data.get("timestamp"),
                )

    def on_game_end(self, game_id: str) -> None:
        """A game is over: once its updates are sent, predicted, actual and error are logged."""
        with _nothing_raised("on_game_end"):
            self.prediction_service.end_game(game_id)


def integrate_with_your_scraper(
    scraper: Any,  # noqa: ANN401 - any object that takes the three attributes
    api_url: str = DEFAULT_URL,
    *,
    on_prediction: PredictionCallback | None = None,
    api_key: str | None = None,
    service: LivePredictionService | None = None,
) -> ScraperIntegration:
    """Sets the three callbacks on a scraper and returns what they belong to.

    Args:
        scraper: gets `on_game_start_callback`, `on_score_update_callback` and
            `on_game_end_callback`.
        api_url: address of the service.
        on_prediction: called with each prediction, in another thread than the scraper's.
        api_key: where the service asks for one; left out it is that of the environment variable
            HALFTIME_API_KEY, if there is one.
        service: in place of a new one for `api_url`.
    """
    if service is None:
        service = LivePredictionService(api_url, api_key=api_key)
    if on_prediction is not None:
        service.add_prediction_callback(on_prediction)
    integration = ScraperIntegration(service)
    scraper.on_game_start_callback = integration.on_game_start
    scraper.on_score_update_callback = integration.on_score_update
    scraper.on_game_end_callback = integration.on_game_end
    return integration


@contextmanager
def _nothing_raised(callback: str) -> Iterator[None]:
    """Logs what the body raises: a scraper's loop must go on."""
    try:
        yield
    except Exception:
        log.exception("%s failed; the scraper goes on", callback)


def _has(callback: str, data: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Whether all keys are there; logs those that are missing."""
    missing = [key for key in keys if key not in data]
    if missing:
        log.warning("%s: expected %s; missing %s", callback, ", ".join(keys), ", ".join(missing))
    return not missing
