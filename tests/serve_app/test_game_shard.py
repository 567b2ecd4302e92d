import sqlite3
from pathlib import Path

import pytest

from serve_app.game_shard import Applied, GameShard, Update
from serve_app.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    PredictionNotMade,
    ServiceProblem,
    UnknownGame,
)
from serve_app.schemas import GameRegistration
from serve_app.store import Store

from .conftest import forecast, registration, update, updates


def applied(shard: GameShard, batch: list[Update]) -> list[Applied]:
    results = shard.apply(batch)
    assert not any(isinstance(result, ServiceProblem) for result in results)
    return [result for result in results if isinstance(result, Applied)]


def predicted(shard: GameShard, game_id: str = "g1") -> None:
    """Play a game to its trigger and record its forecast."""
    shard.register(registration(game_id))
    due = applied(shard, updates(1080, game_id=game_id))[-1].due
    assert due is not None
    shard.record(due, forecast())


def types(store: Store) -> list[str]:
    return [row.type for row in store.journal_after(0, 10_000)]


def test_the_same_registration_again_gets_the_same_answer(shard: GameShard, store: Store):
    assert shard.register(registration()) == shard.register(registration())
    assert types(store) == ["game"]


def test_another_registration_of_the_same_game_is_a_conflict(shard: GameShard):
    shard.register(registration())
    with pytest.raises(Conflict, match="expected the content it was registered with"):
        shard.register(GameRegistration(game_id="g1", home_team="NYK", away_team="LAL"))


def test_an_unknown_game_is_told_how_to_register(shard: GameShard):
    (problem,) = shard.apply([update(60, 2)])
    assert isinstance(problem, UnknownGame)
    assert "POST /games" in problem.detail


def test_auto_register_takes_an_update_that_names_the_teams(store: Store):
    shard = GameShard(store, auto_register=True)
    named = Update("g9", 1, "6:00", 10, 8, home_team="BOS", away_team="LAL")
    applied(shard, [named])
    assert shard.game("g9").home_team == "BOS"
    (problem,) = shard.apply([update(60, 2, game_id="nameless")])
    assert isinstance(problem, InvalidRequest)


def test_an_unknown_game_in_a_list_spoils_no_other(shard: GameShard):
    shard.register(registration())
    first, second, third = shard.apply([update(60, 2), update(60, 2, game_id="x"), update(90, 3)])
    assert isinstance(first, Applied)
    assert isinstance(second, UnknownGame)
    assert isinstance(third, Applied)


def test_a_prediction_is_made_once_whoever_comes_second(shard: GameShard, store: Store):
    shard.register(registration())
    due = applied(shard, updates(1080))[-1].due
    assert due is not None
    first = shard.record(due, forecast(4.0))
    second = shard.record(due, forecast(9.0))
    assert first == second
    assert first.point_forecast == 4.0
    assert types(store).count("prediction") == 1
    assert applied(shard, [update(1080, 18)])[0].due is None


def test_a_due_forecast_is_asked_for_until_it_is_recorded(shard: GameShard):
    shard.register(registration())
    first = applied(shard, updates(1080))[-1].due
    again = applied(shard, [update(1080, 18), update(1110, 18)])
    assert first is not None
    assert [item.due for item in again] == [first, first]


def test_two_shards_on_one_store_cannot_both_predict(shard: GameShard, store: Store):
    shard.register(registration())
    due = applied(shard, updates(1080))[-1].due
    other = GameShard(store)
    assert due is not None
    assert other.game("g1").updates == 37
    first = other.record(due, forecast(7.0))
    assert shard.record(due, forecast(8.0)) == first
    assert types(store).count("prediction") == 1


def test_halftime_resolves_against_the_frozen_forecast(shard: GameShard):
    predicted(shard)
    applied(shard, [update(1440, 30, 20)])
    outcome = shard.prediction("g1").outcome
    assert outcome is not None
    assert (outcome.halftime_margin, outcome.error, outcome.persistence_error) == (10, 6, -8)
    assert outcome.covered
    assert shard.game("g1").state == "resolved"


def test_a_late_score_correction_of_halftime_corrects_the_outcome(shard: GameShard):
    predicted(shard)
    applied(shard, [update(1440, 30, 20), update(1440, 29, 20)])
    outcome = shard.prediction("g1").outcome
    assert outcome is not None
    assert outcome.halftime_margin == 9


def test_a_late_update_gives_a_revision_beside_the_frozen_original(shard: GameShard):
    shard.register(registration())
    due = applied(shard, [*updates(1050), update(1090, 20)])[-1].due
    assert due is not None
    frozen = shard.record(due, forecast(4.0))
    assert frozen.pattern[-1] == 17.0
    late = applied(shard, [update(1075, 19)])[0].due
    assert late is not None
    revised = shard.record(late, forecast(11.0))
    assert shard.record(late, forecast(12.0)) == revised
    (revision,) = revised.revisions
    assert (revision.reason, revision.forecast.point_forecast) == ("late_update", 11.0)
    assert revision.pattern == [*frozen.pattern[:-1], 19.0]
    assert revised.model_copy(update={"revisions": []}) == frozen


def test_a_revision_is_recorded_though_more_updates_came_meanwhile(shard: GameShard):
    predicted(shard)
    due = applied(shard, [update(1080, 15)])[0].due
    later = applied(shard, [update(1110, 20), update(1140, 21)])
    assert due is not None
    assert [item.due for item in later] == [due, due]
    assert len(shard.record(due, forecast(1.0)).revisions) == 1
    assert applied(shard, [update(1170, 22)])[0].due is None


def test_a_score_correction_gives_a_revision_with_that_reason(shard: GameShard, store: Store):
    predicted(shard)
    due = applied(shard, [update(1080, 15)])[0].due
    assert due is not None
    (revision,) = shard.record(due, forecast(1.0)).revisions
    assert (revision.reason, revision.pattern[-1]) == ("score_correction", 15.0)
    assert types(store)[-1] == "revision"
    assert GameShard(store).prediction("g1").revisions == [revision]


def test_the_problem_says_why_there_is_no_prediction(shard: GameShard):
    shard.register(registration())
    with pytest.raises(PredictionNotMade, match="g1' is registered"):
        shard.prediction("g1")
    applied(shard, [update(1090, 40)])
    with pytest.raises(InsufficientPatternProblem) as raised:
        shard.prediction("g1")
    assert raised.value.members["missing_minutes"] == list(range(1, 19))


def test_the_end_tells_predicted_actual_and_error_again_and_again(shard: GameShard, store: Store):
    predicted(shard)
    applied(shard, [update(1440, 30, 20)])
    first = shard.end("g1")
    assert (first.predicted, first.actual, first.error) == (4.0, 10.0, 6.0)
    assert shard.end("g1") == first
    assert types(store).count("ended") == 1
    assert shard.game("g1").state == "ended"


def test_a_shard_that_comes_back_knows_everything(shard: GameShard, store: Store):
    predicted(shard)
    applied(shard, [update(1110, 19), update(1110, 18), update(1440, 30, 20)])
    shard.register(registration("g2"))
    applied(shard, updates(1080, game_id="g2"))
    back = GameShard(store)
    for game_id in ("g1", "g2"):
        before, after = shard.game(game_id), back.game(game_id)
        assert after.model_copy(update={"feed_lag_seconds": before.feed_lag_seconds}) == before
    still_due = applied(back, [update(1080, 18, game_id="g2")])[0]
    assert still_due.result.duplicate
    assert still_due.due is not None


def test_a_failing_store_acknowledges_nothing_and_memory_forgets_it(
    shard: GameShard, store: Store, tmp_path: Path
):
    shard.register(registration())
    applied(shard, updates(300))
    locker = sqlite3.connect(tmp_path / "data" / "halftime.sqlite3", isolation_level=None)
    store._connection.execute("PRAGMA busy_timeout=1")
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        shard.apply([update(330, 30)])
    locker.execute("ROLLBACK")
    locker.close()
    assert shard.game("g1").updates == 11
    assert not applied(shard, [update(330, 30)])[0].result.duplicate


def test_a_late_update_while_the_forecast_is_made_gives_a_revision(shard: GameShard):
    shard.register(registration())
    due = applied(shard, [*updates(1050), update(1090, 20)])[-1].due
    renewed = applied(shard, [update(1075, 19)])[0].due
    assert due is not None
    assert renewed is not None
    shard.record(due, forecast(4.0))
    shard.record(renewed, forecast(5.0))
    revision_due = applied(shard, [update(1440, 30)])[0].due
    assert revision_due is not None
    made = shard.record(revision_due, forecast(5.0))
    assert (made.pattern[-1], made.revisions[0].pattern[-1]) == (17.0, 19.0)


def test_a_game_that_is_over_is_not_predicted_after_a_restart_either(
    shard: GameShard, store: Store
):
    shard.register(registration())
    applied(shard, updates(600))
    shard.end("g1")
    applied(shard, updates(1470, start=630))
    for one in (shard, GameShard(store)):
        assert applied(one, [update(1470, 24)])[0].due is None
        assert one.game("g1").prediction is None


def test_a_prediction_made_after_halftime_is_marked_and_does_not_count(
    shard: GameShard, store: Store
):
    shard.register(registration())
    due = applied(shard, updates(1440))[-1].due
    assert due is not None
    assert shard.record(due, forecast()).made_after_halftime
    assert shard.prediction("g1").outcome is not None
    assert store.resolved_predictions() == []


def test_games_that_ended_long_ago_are_read_from_the_store(store: Store):
    shard = GameShard(store, ended_sessions=2)
    for number in range(4):
        shard.register(registration(f"g{number}"))
        applied(shard, [update(60, number, game_id=f"g{number}")])
        shard.end(f"g{number}")
    assert len(shard._sessions) == 2
    assert [shard.game(f"g{number}").margin for number in range(4)] == [0, 1, 2, 3]
    assert len(shard._sessions) == 2


def test_watchers_are_woken_after_the_commit_and_only_then(store: Store):
    seen: list[int] = []
    shard = GameShard(store, notify=lambda: seen.append(store.last_seq()))
    shard.register(registration())
    shard.apply([update(60, 2), update(60, 2)])
    shard.apply([update(60, 2)])
    assert seen == [1, 2]
