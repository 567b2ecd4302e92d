"""What the sender of webhooks knows of how it does; it is fed by whoever delivers."""

from typing import Literal

from serve_app.system.metrics import WEBHOOK_DELIVERIES, WEBHOOKS_DEAD, WEBHOOKS_PENDING
from serve_app.system.reports import WebhookReport
from serve_app.system.tally import Tally

DeliveryOutcome = Literal["delivered", "failed", "gone", "dead"]


class WebhookWatch:
    """Counts attempts, and says how many deliveries wait and how many are dead letters."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._pending = self._dead = 0

    def attempted(self, outcome: DeliveryOutcome) -> None:
        """A delivery was tried: delivered; failed, it is tried again; gone (410); or given up."""
        self.tally.count(WEBHOOK_DELIVERIES, outcome)

    def waiting(self, pending: int, dead: int) -> None:
        """So many deliveries wait to be made, and so many are on the dead-letter list."""
        self._pending, self._dead = pending, dead

    async def report(self) -> WebhookReport:
        """What was said last."""
        self.tally.set(WEBHOOKS_PENDING, self._pending)
        self.tally.set(WEBHOOKS_DEAD, self._dead)
        return WebhookReport(self._pending, self._dead)
