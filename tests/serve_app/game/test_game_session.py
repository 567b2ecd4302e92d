import pytest

from models.game.clock import GameClock
from serve_app.game.game_session import ALLOWED_MOVES, GameSession, IllegalMoveError, State
from serve_app.game.observation import Observation
from serve_app.schemas import GameRegistration


def session() -> GameSession:
    return GameSession(GameRegistration(game_id="g1", home_team="BOS", away_team="LAL"))


def at(quarter: int, text: str, home: int, away: int = 0) -> Observation:
    return Observation(GameClock.parse(quarter, text), home, away)


def play(game: GameSession, minutes: int) -> None:
    for minute in range(1, minutes + 1):
        quarter, left = (1, 12 - minute) if minute <= 12 else (2, 24 - minute)
        game.observe(at(quarter, f"{left}:00", minute))


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_moves_and_none_leaves_the_end(state: State):
    assert ALLOWED_MOVES[state] <= set(State)
    assert state is not State.ENDED or not ALLOWED_MOVES[state]


def test_an_illegal_move_names_both_states():
    with pytest.raises(IllegalMoveError, match=r"registered.*got resolved"):
        session().move_to(State.RESOLVED)


def test_the_forecast_falls_due_at_the_crossing_with_what_was_known_then():
    game = session()
    play(game, 17)
    assert game.due is None
    game.observe(at(2, "6:00", 18))
    assert game.due is not None
    assert game.due.pattern == [float(minute) for minute in range(1, 19)]
    game.observe(at(2, "5:00", 30))
    game.observe(at(3, "11:00", 60))
    assert game.due.clock == GameClock.parse(2, "6:00")
    assert game.state is State.LIVE


def test_a_late_update_before_the_forecast_is_made_is_still_in_it():
    game = session()
    play(game, 17)
    game.observe(at(2, "5:55", 20))
    first = game.due
    game.observe(at(2, "6:05", 19))
    assert first is not None
    assert game.due is not None
    assert (first.pattern[-1], game.due.pattern[-1]) == (17.0, 19.0)
    assert game.due.clock == first.clock
    game.observe(at(2, "0:00", 30))
    game.observe(at(2, "6:01", 22))
    assert game.due.pattern[-1] == 19.0


def test_a_game_first_seen_after_the_half_is_missed():
    game = session()
    game.observe(at(3, "11:00", 50, 48))
    assert game.state is State.MISSED
    assert game.due is None


def test_minutes_filled_after_the_crossing_make_the_forecast_due():
    game = session()
    play(game, 12)
    game.observe(at(2, "5:50", 30))
    insufficient = game.insufficient_pattern()
    assert insufficient is not None
    assert insufficient.missing_minutes == [13, 14, 15, 16, 17, 18]
    for minute in range(13, 17):
        game.observe(at(2, f"{24 - minute}:00", minute))
    assert game.due is not None
    assert game.due.minutes_carried_forward == 2
    assert game.insufficient_pattern() is None


def test_the_game_minute_being_played():
    game = session()
    assert game.game_minute is None
    game.observe(at(1, "12:00", 0))
    assert game.game_minute == 1
    game.observe(at(1, "11:00", 0))
    assert game.game_minute == 1
    game.observe(at(1, "10:59", 0))
    assert game.game_minute == 2
