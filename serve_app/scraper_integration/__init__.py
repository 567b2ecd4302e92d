"""Wires a scraper to the service in three lines, and never raises into its loop.

    from serve_app.scraper_integration import integrate_with_your_scraper
    integrate_with_your_scraper(scraper, "http://127.0.0.1:8000", on_prediction=print)
    scraper.run()

Updates wait in a bounded queue (`update_queue`) while the service is away, and a background thread
(`sending_loop`) sends them in order when it is back.
"""

from serve_app.scraper_integration.integration import (
    ScraperIntegration,
    integrate_with_your_scraper,
)
from serve_app.scraper_integration.live_prediction_service import LivePredictionService

__all__ = ["LivePredictionService", "ScraperIntegration", "integrate_with_your_scraper"]
