"""Rating settings: how team strength learns from results."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from models.errors import DataError
from models.ratings.finished_game import FinishedGame


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSettings:
    """How the ratings learn; standard deviations in points.

    The defaults are the most likely ones on the seasons 1999 to 2011. There, halving or doubling
    `game_sd` costs 0.07 to 0.10 points of mean error, `daily_sd` or `summer_sd` 0.02 to 0.04, and
    any of the other standard deviations less than 0.005.

    Attributes:
        game_sd: of a result about what the teams were worth.
        daily_sd: of the change of a strength within a day.
        summer_sd: of the change of a strength over a summer, beside the shrinking.
        carry_over: share of a strength that survives a summer.
        newcomer_sd: of the strength of a team of which nothing is known.
        home_sd: of a team's own home advantage about the league's.
        home_carry_over: share of a team's own home advantage that survives a summer.
        home_advantage: the league's, before any result.
        home_advantage_sd: how unsure that is.
        home_advantage_drift_sd: of its change over a summer, for it has halved in twenty years.
        effect_sd: how unsure the effects of rest and of the playoffs are before any result.
        effect_drift_sd: of their change over a summer.
        quarter_weights: how much each quarter counts in a result. The first tells most of the
            teams; the last one less, for the bench ends decided games.
    """

    game_sd: float = 11.1
    daily_sd: float = 0.1975
    summer_sd: float = 2.5
    carry_over: float = 0.667
    newcomer_sd: float = 4.5
    home_sd: float = 1.0
    home_carry_over: float = 0.8
    home_advantage: float = 3.0
    home_advantage_sd: float = 1.0
    home_advantage_drift_sd: float = 0.15
    effect_sd: float = 1.0
    effect_drift_sd: float = 0.055
    quarter_weights: tuple[float, float, float, float] = (1.15, 0.975, 0.96, 0.81)

    def __post_init__(self) -> None:
        # JSON has lists only.
        object.__setattr__(self, "quarter_weights", tuple(self.quarter_weights))
        if len(self.quarter_weights) != 4:
            raise DataError(
                f"rating settings: expected 4 quarter weights; got {self.quarter_weights}"
            )
        for name, value in asdict(self).items():
            numbers = value if name == "quarter_weights" else (value,)
            if not all(math.isfinite(number) and number >= 0 for number in numbers):
                raise DataError(f"rating settings: expected {name} of 0 or more; got {value}")
        for name in ("carry_over", "home_carry_over"):
            if getattr(self, name) > 1:
                raise DataError(
                    f"rating settings: expected {name} from 0 to 1; got {getattr(self, name)}"
                )
        if not self.game_sd:
            raise DataError("rating settings: expected game_sd above 0; got 0")

    def to_state(self) -> dict[str, Any]:
        """Plain JSON data: the keywords to make them again."""
        return asdict(self) | {"quarter_weights": list(self.quarter_weights)}

    def observed_margin(self, game: FinishedGame) -> float:
        """What a result says of the teams, in points for home: its quarters weighted.

        It is the final margin where the quarters are not known. Overtime counts in full.
        """
        observed = float(game.margin)
        if game.quarter_margins is not None:
            before = 0.0
            for weight, margin in zip(self.quarter_weights, game.quarter_margins, strict=True):
                observed += (weight - 1.0) * (margin - before)
                before = margin
        return observed
