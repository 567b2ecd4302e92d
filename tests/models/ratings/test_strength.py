import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from models.errors import DataError
from models.game.games import GameTable
from models.ratings.finished_game import FinishedGame, days_of, finished_games
from models.ratings.rating_settings import RatingSettings
from models.ratings.strength import TeamStrength, expected_margins, walk_forward
from tests.models.conftest import TEAMS, make_games

DAY = date(2015, 1, 10)


def result(
    home: str = "BOS",
    away: str = "MIA",
    margin: int = 13,
    *,
    day: date = DAY,
    playoffs: bool = False,
) -> FinishedGame:
    return FinishedGame(date=day, home=home, away=away, margin=margin, playoffs=playoffs)


def days_after(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.fixture(scope="module")
def strength(games: GameTable) -> TeamStrength:
    return TeamStrength.fit(games)


def test_a_result_moves_each_by_its_share_of_the_doubt() -> None:
    settings = RatingSettings(game_sd=10.0, newcomer_sd=4.0, home_sd=1.0, home_advantage_sd=2.0)
    before = TeamStrength.unrated(settings)
    after = before.after([result(margin=13)], newcomers=True)
    # A surprise of 10 points, its variance 100 + 2 · 16 + 1 + 4 = 137.
    assert after.ratings == pytest.approx({"BOS": 160 / 137, "MIA": -160 / 137})
    assert after.home_advantage == pytest.approx(3.0 + 40 / 137)
    assert (before.teams, before.home_advantage) == ((), 3.0)


def test_games_of_one_day_do_not_inform_each_other(games: GameTable) -> None:
    expected = expected_margins(games)
    assert expected[:3].tolist() == [3.0, 3.0, 3.0]
    assert (expected[3:6] != 3.0).all()


def test_an_expected_margin_does_not_know_its_own_game_or_later_ones(games: GameTable) -> None:
    before = expected_margins(games)
    day = games.date[300]
    later = games.date >= day
    changed, margins = games.final_home.copy(), games.margins.copy()
    changed[later] = np.random.default_rng(3).permutation(changed[later])
    margins[later] = 0
    after = expected_margins(replace(games, final_home=changed, margins=margins))
    assert (before[games.date <= day] == after[games.date <= day]).all()
    assert (before[games.date > day] != after[games.date > day]).all()


def test_the_walk_is_what_a_service_finds_game_by_game(games: GameTable) -> None:
    walk = walk_forward(games)
    strength = TeamStrength.unrated()
    for day in days_of(games):
        finished = finished_games(games)[day]
        expected = [strength.expected_margin(game.home, game.away, game.date) for game in finished]
        assert [one.margin for one in expected] == walk.margins[day].tolist()
        assert [one.sd for one in expected] == walk.sds[day].tolist()
        for game in finished:
            strength = strength.after([game], newcomers=True)
    assert strength == walk.strength == TeamStrength.fit(games)
    assert (expected_margins(games) == walk.margins).all()


def test_ratings_survive_json_bit_for_bit(games: GameTable, strength: TeamStrength) -> None:
    early, late = games.select(games.season < 2013), games.select(games.season >= 2013)
    state = json.dumps(TeamStrength.fit(early).to_state())
    again = TeamStrength.from_state(json.loads(state))
    assert json.dumps(again.to_state()) == state
    assert again.after(finished_games(late)) == strength


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("day"),
        lambda state: state.update(day="yesterday"),
        lambda state: state["settings"].update(step=0.1),
        lambda state: state["belief"]["mean"].pop(),
        lambda state: state["teams"].append("XXX"),
        lambda state: state.update(schedule=[1]),
    ],
)
def test_a_state_that_is_none_is_refused(
    strength: TeamStrength, spoil: Callable[[dict[str, object]], object]
) -> None:
    state = json.loads(json.dumps(strength.to_state()))
    spoil(state)
    with pytest.raises(DataError, match="team strength: expected settings, belief, teams"):
        TeamStrength.from_state(state)


def test_ratings_find_the_strong_teams(strength: TeamStrength) -> None:
    ranked = sorted(TEAMS, key=lambda team: strength.ratings[team])
    assert ranked[0] == "ATL"
    assert ranked[-1] in ("MIA", "LAL")
    assert 0 < strength.home_advantage < 6
    expected = strength.expected_margin("MIA", "ATL")
    assert expected.source == "ratings"
    assert expected.margin > 8
    assert strength.expected_margin("ATL", "MIA").margin < 0


def test_the_ratings_recover_what_the_games_were_made_with() -> None:
    games = make_games(days=150)
    walk = walk_forward(games)
    made_with = dict(zip(TEAMS, (-6, -3, 0, 2, 4, 6), strict=True))
    truth = np.array([made_with[str(home)] - made_with[str(away)] + 3
                      for home, away in zip(games.home, games.away, strict=True)])  # fmt: skip
    known = games.season >= 2011
    z = (walk.margins - truth)[known] / walk.sds[known]
    # The strengths here never change, so the ratings are surer than they say.
    assert 0.3 < z.std() < 1.1


@pytest.mark.parametrize(
    ("home", "away", "source"),
    [
        (None, None, "home_advantage"),
        ("BOS", None, "home_advantage"),
        (None, "BOS", "home_advantage"),
        ("BOS", "XXX", "unknown_team"),
        ("XXX", "BOS", "unknown_team"),
        ("XXX", None, "unknown_team"),
    ],
)
def test_without_two_ratings_it_is_the_home_advantage(
    strength: TeamStrength, home: str | None, away: str | None, source: str
) -> None:
    expected = strength.expected_margin(home, away, strength.day)
    assert (expected.margin, expected.source) == (strength.home_advantage, source)
    assert expected.sd > strength.expected_margin("BOS", "MIA", strength.day).sd


def test_a_game_with_an_unknown_team_says_nothing(strength: TeamStrength) -> None:
    assert strength.after([result("BOS", "XXX"), result("XXX", "BOS")]) == strength
    joined = strength.after([result("BOS", "XXX")], newcomers=True)
    assert joined.knows("XXX")
    assert not strength.knows("XXX")
    assert joined.expected_margin("BOS", "XXX", days_after(3)).source == "ratings"


def test_a_franchise_that_moved_keeps_its_strength() -> None:
    games = [result("SEA", "MIA"), result("SEA", "WSB", day=days_after(1))]
    moved = TeamStrength.unrated().after(games, newcomers=True)
    assert set(moved.ratings) == {"OKC", "MIA", "WAS"}
    assert moved.knows("SEA")
    assert moved.expected_margin("OKC", "WSH") == moved.expected_margin("SEA", "WSB")


def test_doubt_shrinks_with_games_and_grows_with_time(strength: TeamStrength) -> None:
    def sd(of: TeamStrength, day: date) -> float:
        return of.expected_margin("BOS", "MIA", day).sd

    assert strength.day is not None
    last = strength.day
    week, autumn = last + timedelta(days=7), last + timedelta(days=320)
    assert sd(strength, last) < sd(strength, week) < sd(strength, autumn)
    played = strength.after([result(day=week)])
    assert sd(played, week) < sd(strength, week)
    assert sd(strength, autumn) < sd(strength, autumn + timedelta(days=365))


def test_a_summer_shrinks_the_strengths(strength: TeamStrength) -> None:
    assert strength.day is not None
    autumn = strength.on(strength.day + timedelta(days=320))
    kept = strength.settings.carry_over
    assert autumn.ratings == pytest.approx({k: kept * v for k, v in strength.ratings.items()})
    assert autumn.home_advantage == strength.home_advantage


def tiring_season() -> list[FinishedGame]:
    """Equal teams; who played the day before loses six points by it, and playoffs are worth two."""
    days = [(0, "BOS", "MIA", 3), (1, "BOS", "CHI", -3), (3, "MIA", "CHI", 3), (4, "BOS", "CHI", 9)]
    return [
        result(home, away, margin + 2 * (round_ % 2), day=days_after(7 * round_ + day),
               playoffs=bool(round_ % 2))
        for round_ in range(40)
        for day, home, away, margin in days
    ]  # fmt: skip


def test_back_to_backs_and_playoffs_are_learned_from_results() -> None:
    strength = TeamStrength.unrated().after(tiring_season(), newcomers=True)
    # BOS played at home on the last day, CHI away; MIA rested.
    tomorrow, later = days_after(7 * 39 + 5), days_after(7 * 39 + 8)

    def margin(home: str, away: str, day: date | None = later, *, playoffs: bool = False) -> float:
        return strength.expected_margin(home, away, day, playoffs=playoffs).margin

    assert margin("BOS", "MIA", tomorrow) < margin("BOS", "MIA") - 1
    assert margin("MIA", "CHI", tomorrow) > margin("MIA", "CHI") + 2
    assert margin("BOS", "MIA", playoffs=True) > margin("BOS", "MIA") + 0.3
    assert margin("BOS", "MIA", None) == pytest.approx(margin("BOS", "MIA"))


def test_results_may_come_late_but_not_by_more_than_a_month(strength: TeamStrength) -> None:
    assert strength.day is not None
    late = strength.after([result(day=strength.day - timedelta(days=30))])
    assert late.day == strength.day
    assert late.ratings["BOS"] != strength.ratings["BOS"]
    with pytest.raises(DataError, match="at most 30 days before the last"):
        strength.after([result(day=strength.day - timedelta(days=31))])


def test_results_are_taken_in_order_of_date(strength: TeamStrength) -> None:
    games = [result(day=days_after(day), margin=day) for day in range(4)]
    assert strength.after(games[::-1]) == strength.after(games) != strength


def test_no_games_teach_nothing(games: GameTable) -> None:
    none = games.select(games.season < 0)
    assert expected_margins(none).shape == (0,)
    assert TeamStrength.fit(none) == TeamStrength.unrated()
    assert TeamStrength.unrated() != "nothing"
