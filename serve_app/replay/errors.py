"""The exception family of the replay and the demo.

ReplayError
├── DeliveryError               a request was not answered in time, however often it was repeated
└── RefusedError                the service refused what a replay cannot do without
"""


class ReplayError(RuntimeError):
    """Base of every error that ends a replay or a demo."""


class DeliveryError(ReplayError):
    """A request was not answered in time, however often it was repeated."""


class RefusedError(ReplayError):
    """The service refused what a replay cannot do without, such as registering a game."""
