"""The error of a chaos run that could not be brought to its end."""

from serve_app.replay.errors import ReplayError


class ChaosError(ReplayError):
    """The service did not come back from a kill, or there was nothing to be killed."""
