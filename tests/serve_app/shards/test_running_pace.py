from models.game.clock import GameClock
from models.game.game_state import GameState
from serve_app.game.due_forecast import DueForecast
from serve_app.shards.running_pace import RunningPace, Wait


def due(margin: float) -> DueForecast:
    return DueForecast(
        game_id="g1",
        home_team="BOS",
        away_team="LAL",
        expected_margin=None,
        day=None,
        playoffs=False,
        kind="running",
        state=GameState(pattern=(), margin=margin, elapsed_seconds=30.0),
        clock=GameClock(1, 690.0),
        updates=1,
    )


def ask(pace: RunningPace, margin: float | None, now: float) -> DueForecast | Wait | None:
    return pace.ask("g1", lambda: None if margin is None else due(margin), now)


def test_at_most_one_an_interval_and_one_wait_for_what_came_meanwhile():
    pace = RunningPace(5.0)
    assert ask(pace, 1.0, now=100.0) == due(1.0)
    assert ask(pace, 2.0, now=102.0) == Wait("g1", 3.0)
    assert ask(pace, 3.0, now=103.0) is None
    pace.end_wait()
    assert ask(pace, 3.0, now=105.0) == due(3.0)
    assert ask(pace, 4.0, now=106.0) == Wait("g1", 4.0)


def test_a_state_that_was_handed_out_is_not_asked_for_again():
    pace = RunningPace(5.0)
    ask(pace, 1.0, now=100.0)
    assert ask(pace, 1.0, now=101.0) is None
    assert ask(pace, 1.0, now=200.0) is None
    assert ask(pace, 2.0, now=201.0) == due(2.0)


def test_who_waited_in_vain_holds_up_nobody():
    pace = RunningPace(5.0)
    ask(pace, 1.0, now=100.0)
    assert ask(pace, 2.0, now=101.0) == Wait("g1", 4.0)
    assert ask(pace, 3.0, now=105.0) == due(3.0)
    pace.end_wait()
    assert ask(pace, 3.0, now=105.1) is None


def test_a_wait_that_ended_early_waits_again():
    pace = RunningPace(5.0)
    ask(pace, 1.0, now=100.0)
    ask(pace, 2.0, now=101.0)
    pace.end_wait()
    assert ask(pace, 2.0, now=104.0) == Wait("g1", 1.0)


def test_with_no_interval_every_new_state_is_forecast():
    pace = RunningPace(0.0)
    assert [ask(pace, margin, now=7.0) for margin in (1.0, 2.0)] == [due(1.0), due(2.0)]


def test_a_game_of_which_nothing_can_be_said_waits_for_nothing():
    pace = RunningPace(5.0)
    assert ask(pace, None, now=100.0) is None
    assert ask(pace, 1.0, now=100.5) == due(1.0)
