"""What the sender of webhooks knows of how it does; it is fed by whoever delivers."""

import asyncio
from collections.abc import Callable
from typing import Literal

from serve_app.system.metrics import WEBHOOK_DELIVERIES, WEBHOOKS_PENDING
from serve_app.system.reports import WebhookReport
from serve_app.system.tally import Tally

DeliveryOutcome = Literal["delivered", "failed", "dead"]


class WebhookWatch:
    """Counts attempts; `pending` tells how many deliveries wait, and may block."""

    def __init__(self, pending: Callable[[], int]) -> None:
        self.tally = Tally()
        self._pending = pending

    def attempted(self, outcome: DeliveryOutcome) -> None:
        """A delivery was tried: it was delivered, it failed and is tried again, or it is dead."""
        self.tally.count(WEBHOOK_DELIVERIES, outcome)

    async def report(self) -> WebhookReport:
        """How many deliveries wait."""
        pending = await asyncio.to_thread(self._pending)
        self.tally.set(WEBHOOKS_PENDING, pending)
        return WebhookReport(pending)
