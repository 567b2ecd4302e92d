import json
from datetime import date, timedelta

import pytest

from models.errors import DataError
from models.ratings.schedule import Rest, Schedule

DAY = date(2024, 1, 10)


def played(*games: tuple[int, bool]) -> Schedule:
    """BOS played so many days before DAY, at home or (true) away."""
    schedule = Schedule()
    for ago, away in games:
        home, visitor = ("MIA", "BOS") if away else ("BOS", "MIA")
        schedule = schedule.after(home, visitor, DAY - timedelta(days=ago))
    return schedule


@pytest.mark.parametrize(
    ("games", "rest"),
    [
        ([], Rest()),
        ([(2, True)], Rest()),
        ([(1, False)], Rest(back_to_back=True)),
        ([(1, True)], Rest(back_to_back=True, from_road=True)),
        ([(3, False), (2, False)], Rest(crowded=True)),
        ([(4, False), (2, False)], Rest()),
        ([(3, False), (1, True)], Rest(back_to_back=True, from_road=True, crowded=True)),
    ],
)
def test_rest(games: list[tuple[int, bool]], rest: Rest) -> None:
    assert played(*games).rest("BOS", DAY) == rest


def test_the_other_side_has_its_own_rest() -> None:
    schedule = played((1, True))
    assert schedule.rest("MIA", DAY) == Rest(back_to_back=True)
    assert schedule.rest("CHI", DAY) == Rest()


def test_games_of_the_day_itself_are_no_strain() -> None:
    assert played((0, True)).rest("BOS", DAY) == Rest()


def test_a_late_result_takes_its_place() -> None:
    assert played((1, False), (3, True)).rest("BOS", DAY) == Rest(back_to_back=True, crowded=True)


def test_only_what_rest_depends_on_is_kept() -> None:
    schedule = played(*[(ago, False) for ago in range(20, 0, -1)])
    assert [(DAY - game.date).days for game in schedule.recent["BOS"]] == [3, 2, 1]


def test_a_schedule_survives_json() -> None:
    schedule = played((3, True), (1, False))
    assert Schedule.from_state(json.loads(json.dumps(schedule.to_state()))) == schedule


@pytest.mark.parametrize("state", [{"BOS": [["soon", True]]}, {"BOS": [["2024-01-01"]]}, ["BOS"]])
def test_a_state_that_is_none_is_refused(state: object) -> None:
    with pytest.raises(DataError, match="schedule: expected by team a list of date"):
        Schedule.from_state(state)  # type: ignore[arg-type]
