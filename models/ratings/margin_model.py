"""Margin model: what an expected margin is made of, and how that drifts from day to day.

The belief holds the `EFFECTS` that all games share, then for every team its strength and how far
its own home advantage is above the league's; all in points for home.
"""

import numpy as np

from models.game.pattern import FloatArray
from models.ratings.belief import Belief, Contrast
from models.ratings.rating_settings import RatingSettings
from models.ratings.schedule import Rest

EFFECTS = (
    "home_advantage",
    "home_back_to_back",
    "away_back_to_back",
    "away_road_back_to_back",
    "crowded_schedule",
    "playoffs",
)
PER_TEAM = 2
_STRENGTHS = slice(len(EFFECTS), None, PER_TEAM)
_OWN_HOME = slice(len(EFFECTS) + 1, None, PER_TEAM)

# No result for longer than this is a summer: those took 3 to 6 months, no break within a season of
# the records two weeks. Each further year is one more summer.
SUMMER_GAP_DAYS = 60


def size(teams: int) -> int:
    """How many quantities the belief holds with so many teams."""
    return len(EFFECTS) + PER_TEAM * teams


def first_belief(settings: RatingSettings) -> Belief:
    """Before any result, without a team."""
    mean, variance = np.zeros(len(EFFECTS)), np.full(len(EFFECTS), settings.effect_sd**2)
    mean[0], variance[0] = settings.home_advantage, settings.home_advantage_sd**2
    return Belief.independent(mean, variance)


def with_newcomer(belief: Belief, settings: RatingSettings) -> Belief:
    """With one more team, of which nothing is known."""
    return belief.grown(
        np.zeros(PER_TEAM), np.array([settings.newcomer_sd**2, settings.home_sd**2])
    )


def strengths(belief: Belief) -> FloatArray:
    """The strength of every team, in the order in which they joined."""
    return belief.mean[_STRENGTHS]


def margin_contrast(home: int, away: int, rest: tuple[Rest, Rest], *, playoffs: bool) -> Contrast:
    """The margin between the teams that joined as number `home` and `away` (from 0).

    `rest` is that of home and of away.
    """
    at_home, visiting = rest
    effects = (
        1.0,
        float(at_home.back_to_back),
        float(visiting.back_to_back),
        float(visiting.from_road),
        float(visiting.crowded) - float(at_home.crowded),
        float(playoffs),
    )
    place = size(home)
    places, weights = [place, place + 1, size(away)], [1.0, 1.0, -1.0]
    for number, effect in enumerate(effects):
        if effect:
            places.append(number)
            weights.append(effect)
    return Contrast(np.array(places), np.array(weights))


def league_contrast(*, playoffs: bool) -> Contrast:
    """The margin between two teams of which nothing is known."""
    return Contrast(np.array([0, len(EFFECTS) - 1]), np.array([1.0, float(playoffs)]))


def aged(belief: Belief, settings: RatingSettings, days: int) -> Belief:
    """After so many days without a result."""
    if days > SUMMER_GAP_DAYS:
        for _ in range(1 + (days - SUMMER_GAP_DAYS) // 365):
            belief = _after_summer(belief, settings)
        return belief
    drift = np.zeros(len(belief))
    drift[_STRENGTHS] = settings.daily_sd**2 * days
    return belief.aged(np.ones(len(belief)), drift)


def _after_summer(belief: Belief, settings: RatingSettings) -> Belief:
    keep, drift = np.ones(len(belief)), np.zeros(len(belief))
    drift[0] = settings.home_advantage_drift_sd**2
    drift[1 : len(EFFECTS)] = settings.effect_drift_sd**2
    keep[_STRENGTHS], drift[_STRENGTHS] = settings.carry_over, settings.summer_sd**2
    # So that the spread of the teams' own home advantages stays what it is.
    keep[_OWN_HOME] = settings.home_carry_over
    drift[_OWN_HOME] = settings.home_sd**2 * (1 - settings.home_carry_over**2)
    return belief.aged(keep, drift)
