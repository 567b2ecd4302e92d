"""Horizons: the two moments that are forecast, and the game minutes from which they are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from models.game.league import NBA, SECONDS_PER_MINUTE

Horizon = Literal["halftime", "final"]
HORIZONS: tuple[Horizon, ...] = ("halftime", "final")

HALFTIME_MINUTE = NBA.halftime_elapsed // SECONDS_PER_MINUTE
REGULATION_MINUTES = NBA.quarters * NBA.quarter_seconds // SECONDS_PER_MINUTE

# The game minute at which regulation reaches the horizon. The final margin includes overtime.
END_MINUTE: Mapping[Horizon, int] = MappingProxyType(
    {"halftime": HALFTIME_MINUTE, "final": REGULATION_MINUTES}
)

# One cell per horizon and whole minute from which it is forecast, tip-off (0) included: that is
# how errors and their calibration are laid out.
CELLS: tuple[tuple[Horizon, int], ...] = tuple(
    (horizon, minute) for horizon in HORIZONS for minute in range(END_MINUTE[horizon])
)
_FIRST_CELL: Mapping[Horizon, int] = MappingProxyType({"halftime": 0, "final": HALFTIME_MINUTE})


def cell_of(horizon: Horizon, minute: int) -> int:
    """The place of a cell in `CELLS`; raises IndexError where the horizon is reached by then."""
    if not 0 <= minute < END_MINUTE[horizon]:
        raise IndexError(f"{horizon}: expected a minute below {END_MINUTE[horizon]}; got {minute}")
    return _FIRST_CELL[horizon] + minute
