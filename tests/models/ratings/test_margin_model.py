import numpy as np
import pytest

from models.ratings import margin_model
from models.ratings.rating_settings import RatingSettings
from models.ratings.schedule import Rest

SETTINGS = RatingSettings()


def row(*rest: Rest, playoffs: bool = False) -> dict[str, float]:
    """The weights of the effects between the teams that joined first and second."""
    contrast = margin_model.margin_contrast(0, 1, (rest[0], rest[1]), playoffs=playoffs)
    weights = dict(zip(contrast.places.tolist(), contrast.weights.tolist(), strict=True))
    assert (weights.pop(6), weights.pop(7), weights.pop(8)) == (1.0, 1.0, -1.0)
    return {margin_model.EFFECTS[place]: weight for place, weight in weights.items()}


def test_a_margin_is_the_difference_of_the_teams_and_what_the_schedule_does() -> None:
    assert row(Rest(), Rest()) == {"home_advantage": 1.0}
    assert row(Rest(back_to_back=True, from_road=True), Rest(), playoffs=True) == {
        "home_advantage": 1.0,
        "home_back_to_back": 1.0,
        "playoffs": 1.0,
    }
    assert row(Rest(), Rest(back_to_back=True, from_road=True, crowded=True)) == {
        "home_advantage": 1.0,
        "away_back_to_back": 1.0,
        "away_road_back_to_back": 1.0,
        "crowded_schedule": 1.0,
    }
    assert row(Rest(crowded=True), Rest(crowded=True)) == {"home_advantage": 1.0}


@pytest.mark.parametrize(
    ("days", "kept"), [(1, 1.0), (60, 1.0), (61, 0.667), (200, 0.667), (600, 0.667**2)]
)
def test_a_strength_shrinks_with_every_summer(days: int, kept: float) -> None:
    belief = margin_model.with_newcomer(margin_model.first_belief(SETTINGS), SETTINGS)
    belief.mean[6] = 8.0
    older = margin_model.aged(belief, SETTINGS, days)
    assert margin_model.strengths(older) == pytest.approx([8.0 * kept])
    assert older.mean[0] == SETTINGS.home_advantage


def test_the_spread_of_home_advantages_stays_over_the_summers() -> None:
    belief = margin_model.with_newcomer(margin_model.first_belief(SETTINGS), SETTINGS)
    older = margin_model.aged(belief, SETTINGS, 3000)
    assert np.diag(older.covariance)[7] == pytest.approx(SETTINGS.home_sd**2)
