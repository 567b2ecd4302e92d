"""The exception family of the forecasting core.

ForecastError
├── ClockError                  a quarter or a time remaining that no game clock shows
├── PatternError                a margin pattern of the wrong length or with impossible values
├── AlphaError                  a miscoverage level outside (0, 1)
├── DataError                   a games or events file that cannot be used
└── BundleError                 a bundle folder that cannot be loaded

Every message says what was expected and what came.
"""


class ForecastError(ValueError):
    """Base of every error the forecasting core raises on bad input."""


class ClockError(ForecastError):
    """A quarter or a time remaining that no game clock shows."""


class PatternError(ForecastError):
    """A margin pattern of the wrong length or with impossible values."""


class AlphaError(ForecastError):
    """A miscoverage level outside (0, 1)."""


class DataError(ForecastError):
    """A games or events file that cannot be used."""


class BundleError(ForecastError):
    """A bundle folder that cannot be loaded."""
