"""The schedule of attempts: how long a delivery waits after each one that failed.

It is that of the Standard Webhooks specification: ten attempts, the last one three days and a few
hours after the first. Chance moves each by a fifth, so that what failed together comes apart.
"""

from random import Random

DELAYS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MOST_ATTEMPTS = len(DELAYS_SECONDS) + 1
JITTER = 0.2
# A receiver may ask for a later attempt than is due, but it cannot keep events here for ever.
LONGEST_WAIT_SECONDS = 86_400.0


def delay_after(attempts: int, asked_seconds: float | None, chance: Random) -> float | None:
    """Seconds until the next attempt after so many (at least one); None after the last.

    `asked_seconds` is what the receiver asked for by `Retry-After`: it is never asked sooner.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    due = DELAYS_SECONDS[attempts - 1] * chance.uniform(1 - JITTER, 1 + JITTER)
    if asked_seconds is None:
        return due
    asked = min(asked_seconds, LONGEST_WAIT_SECONDS) * chance.uniform(1, 1 + JITTER)
    return max(due, asked)
