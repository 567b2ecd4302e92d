import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from models.game.clock import GameClock
from serve_app.api.problems import (
    Conflict,
    InsufficientPatternProblem,
    InvalidRequest,
    NothingToCompare,
    PredictionNotMade,
    ServiceProblem,
    Unavailable,
    UnknownGame,
)
from serve_app.game.due_forecast import DueForecast
from serve_app.schemas import GameRegistration
from serve_app.shards.game_shard import GameShard
from serve_app.shards.running_pace import Wait
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.database import Database
from serve_app.storage.errors import StoreUnavailableError
from serve_app.storage.journal import JournalRow
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update, updates


def applied(shard: GameShard, batch: list[Update]) -> list[Applied]:
    results = shard.apply(batch)
    assert not any(isinstance(result, ServiceProblem) for result in results)
    return [result for result in results if isinstance(result, Applied)]


def predicted(shard: GameShard, game_id: str = "g1") -> None:
    """Play a game to its trigger and record its forecast."""
    shard.register(registration(game_id))
    due = applied(shard, updates(1080, game_id=game_id))[-1].due
    assert due is not None
    shard.forecasts.record(due, forecast())


def asked(shard: GameShard, batch: list[Update]) -> list[DueForecast | Wait | None]:
    return [item.running for item in applied(shard, batch)]


def running(shard: GameShard, batch: list[Update]) -> DueForecast:
    """The running forecast that the last update of a batch asks for."""
    due = asked(shard, batch)[-1]
    assert isinstance(due, DueForecast)
    return due


def types(store: Store) -> list[str]:
    return [row.type for row in store.journal.after(0, 10_000)]


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
    first = shard.forecasts.record(due, forecast(4.0))
    second = shard.forecasts.record(due, forecast(9.0))
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
    frozen = shard.forecasts.record(due, forecast(4.0))
    assert frozen.pattern[-1] == 17.0
    late = applied(shard, [update(1075, 19)])[0].due
    assert late is not None
    revised = shard.forecasts.record(late, forecast(11.0))
    assert shard.forecasts.record(late, forecast(12.0)) == revised
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
    assert len(shard.forecasts.record(due, forecast(1.0)).revisions) == 1
    assert applied(shard, [update(1170, 22)])[0].due is None


def test_a_score_correction_gives_a_revision_with_that_reason(shard: GameShard, store: Store):
    predicted(shard)
    due = applied(shard, [update(1080, 15)])[0].due
    assert due is not None
    (revision,) = shard.forecasts.record(due, forecast(1.0)).revisions
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


def test_a_failing_store_acknowledges_nothing_and_memory_forgets_it(tmp_path: Path):
    shard = GameShard(Store(Database.in_folder(tmp_path / "data", wait_seconds=0.01)))
    shard.register(registration())
    applied(shard, updates(300))
    locker = sqlite3.connect(tmp_path / "data" / "halftime.sqlite3", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError, match="locked"):
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
    shard.forecasts.record(due, forecast(4.0))
    shard.forecasts.record(renewed, forecast(5.0))
    revision_due = applied(shard, [update(1440, 30)])[0].due
    assert revision_due is not None
    made = shard.forecasts.record(revision_due, forecast(5.0))
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
    assert shard.forecasts.record(due, forecast()).made_after_halftime
    assert shard.prediction("g1").outcome is not None
    assert store.predictions.resolved() == []


def test_games_that_were_used_long_ago_are_read_from_the_store(store: Store):
    shard = GameShard(store, most_sessions=2)
    for number in range(4):
        shard.register(registration(f"g{number}"))
        applied(shard, [update(60, number, game_id=f"g{number}")])
        shard.end(f"g{number}")
    assert len(shard._sessions) == 2
    assert [shard.game(f"g{number}").margin for number in range(4)] == [0, 1, 2, 3]
    assert len(shard._sessions) == 2


def test_a_game_that_cannot_be_registered_leaves_the_rest_of_the_list_alone(store: Store):
    shard = GameShard(store, auto_register=True)
    good = Update("good", 1, "6:00", 2, 0, home_team="BOS", away_team="LAL")
    bad = Update("bad", 1, "6:00", 2, 0, home_team="BOS", away_team="BOS")
    taken, refused = shard.apply([good, bad])
    assert isinstance(taken, Applied)
    assert isinstance(refused, InvalidRequest)
    assert "two teams" in refused.detail
    assert shard.game("good").updates == 1


def test_a_forecast_that_comes_after_the_end_is_not_frozen(shard: GameShard, store: Store):
    shard.register(registration())
    due = applied(shard, updates(1080))[-1].due
    assert due is not None
    told = shard.end("g1")
    with pytest.raises(PredictionNotMade):
        shard.forecasts.record(due, forecast())
    assert shard.end("g1") == told
    assert "prediction" not in types(store)


def test_a_running_forecast_that_was_not_committed_is_asked_for_again(store: Store):
    shard = GameShard(store, forecast_interval_seconds=60.0)
    shard.register(registration())

    def post_and_fail() -> None:
        with shard.writing():
            assert isinstance(asked(shard, updates(120))[-1], DueForecast)
            raise OSError("in the middle")

    with pytest.raises(OSError, match="in the middle"):
        post_and_fail()
    assert isinstance(asked(shard, updates(120))[-1], DueForecast)


def test_an_archive_that_cannot_be_read_is_the_trouble_of_its_game(store: Store):
    shard = GameShard(store)
    for game_id in ("old", "live"):
        shard.register(registration(game_id))
        applied(shard, [update(60, 2, game_id=game_id)])
    with store.writing():
        store.games.set_archive(["old"], "gone.parquet")
    back = GameShard(store)
    first, second = back.apply([update(90, 3, game_id="old"), update(90, 3, game_id="live")])
    assert isinstance(first, Unavailable)
    assert isinstance(second, Applied)
    assert [view.game_id for view in back.games(["old", "none", "live"])] == ["live"]


def test_what_was_committed_is_told_after_the_commit_and_only_then(store: Store):
    seen: list[tuple[int, list[JournalRow]]] = []
    shard = GameShard(
        store, notify=lambda rows: seen.append((store.journal.last_seq(), list(rows)))
    )
    shard.register(registration())
    shard.apply([update(60, 2), update(60, 2)])
    shard.apply([update(60, 2)])
    assert [last for last, _ in seen] == [1, 2]
    assert [row for _, rows in seen for row in rows] == store.journal.after(0, 10)


def test_the_last_update_of_a_game_in_a_list_asks_for_its_running_forecast(shard: GameShard):
    shard.register(registration())
    shard.register(registration("g2"))
    batch = [update(60, 2), update(30, 1, game_id="g2"), update(90, 3), update(90, 3)]
    first, second, third, repeat = asked(shard, batch)
    assert (first, third) == (None, None)
    assert isinstance(second, DueForecast)
    assert isinstance(repeat, DueForecast)
    assert (second.game_id, second.state.margin, second.updates) == ("g2", 1.0, 1)
    assert (repeat.kind, repeat.state.margin, repeat.updates) == ("running", 3.0, 2)
    assert repeat.day == shard.game("g1").day
    assert asked(shard, [update(90, 3)]) == [None]


def test_a_running_forecast_is_kept_told_and_known_after_a_restart(shard: GameShard, store: Store):
    shard.register(registration())
    due = running(shard, updates(90))
    shard.forecasts.record_running([MadeForecast(due, forecast(2.0), forecast(5.0))])
    made = shard.game("g1").forecast
    assert made is not None
    assert made.halftime is not None
    assert (made.halftime.point_forecast, made.final.point_forecast) == (2.0, 5.0)
    assert (made.quarter, made.time_remaining, made.margin) == (1, "10:30", 1.0)
    assert types(store)[-1] == "forecast"
    assert GameShard(store).game("g1").forecast == made


def test_a_running_forecast_never_replaces_one_that_rests_on_more(shard: GameShard, store: Store):
    shard.register(registration())
    first = running(shard, [update(30, 1)])
    second = running(shard, [update(60, 3)])
    for due, point in ((second, 3.0), (first, 1.0), (second, 4.0)):
        shard.forecasts.record_running([MadeForecast(due, forecast(point), forecast(point))])
    # A late update is newer evidence, though the clock is the same.
    late = running(shard, [update(45, 2), update(50, 3)])
    made = shard.game("g1").forecast
    assert made is not None
    assert made.final.point_forecast == 3.0
    back = GameShard(store)
    back.forecasts.record_running([MadeForecast(first, None, forecast(1.0))])
    back.forecasts.record_running([MadeForecast(late, None, forecast(9.0))])
    newest = back.game("g1").forecast
    assert newest is not None
    assert (newest.final.point_forecast, newest.time_remaining) == (9.0, "11:00")
    assert types(store).count("forecast") == 2


def test_within_the_interval_one_update_is_told_to_wait(store: Store):
    clock = [1000.0]
    shard = GameShard(store, forecast_interval_seconds=5.0, now=lambda: clock[0])
    shard.register(registration())
    running(shard, [update(30, 1)])
    clock[0] += 2.0
    assert asked(shard, [update(32, 3)]) == [Wait("g1", 3.0)]
    assert asked(shard, [update(34, 5)]) == [None]
    clock[0] += 3.0
    (due,) = shard.forecasts.running(["g1"])
    assert isinstance(due, DueForecast)
    assert due.state.margin == 5.0
    assert shard.forecasts.running(["g1"]) == []


def test_a_game_that_is_over_asks_for_no_running_forecast(shard: GameShard, store: Store):
    shard.register(registration())
    due = running(shard, updates(90))
    shard.end("g1")
    assert asked(shard, [update(120, 5)]) == [None]
    shard.forecasts.record_running([MadeForecast(due, None, forecast())])
    assert shard.game("g1").forecast is None
    assert types(store)[-1] == "score"


def test_the_prediction_carries_the_state_at_the_trigger(shard: GameShard):
    shard.register(registration())
    due = applied(shard, [*updates(1065), update(1078, 17), update(1079, 18), update(1090, 18, 9)])[
        -1
    ].due
    assert due is not None
    assert (due.state.elapsed_seconds, due.state.margin, due.state.last_score) == (1080.0, 18.0, 1)
    assert due.pattern == [float(minute) for minute in range(1, 19)]


def test_past_games_are_compared_with_the_last_whole_minute_after_the_end_too(shard: GameShard):
    shard.register(registration())
    with pytest.raises(NothingToCompare, match="got 0 completed"):
        shard.comparison("g1")
    applied(shard, [*updates(180), update(210, 9)])
    due = shard.comparison("g1")
    assert (due.kind, due.pattern, due.expected_margin) == ("comparison", [1.0, 2.0, 3.0], None)
    shard.end("g1")
    assert shard.comparison("g1") == due
    with pytest.raises(UnknownGame):
        shard.comparison("g2")


class TestDay:
    NIGHT = datetime(2024, 1, 6, 4, 30, tzinfo=UTC).timestamp()  # the evening of the 5th

    def registered(self, start: datetime | None) -> GameRegistration:
        return GameRegistration(
            game_id="g1", home_team="BOS", away_team="LAL", start_time=start, playoffs=True
        )

    def test_it_is_that_of_the_start_in_american_time(self, shard: GameShard, store: Store):
        shard.register(self.registered(datetime(2024, 1, 6, 3, 30, tzinfo=UTC)))
        due = running(shard, [update(30, 1)])
        assert (due.day, due.playoffs) == (date(2024, 1, 5), True)
        view = GameShard(store).game("g1")
        assert (view.day, view.playoffs) == (date(2024, 1, 5), True)

    def test_a_start_without_a_zone_counts_as_it_stands(self, shard: GameShard):
        naive = datetime(2024, 1, 5)
        view = shard.register(self.registered(naive))
        assert view.day == date(2024, 1, 5)
        assert view.start_time == datetime(2024, 1, 5, tzinfo=UTC)
        assert shard.register(self.registered(naive)) == view

    def test_without_a_start_the_first_update_fixes_it(self, store: Store):
        clock = [self.NIGHT]
        shard = GameShard(store, now=lambda: clock[0])
        assert shard.register(self.registered(None)).day is None
        applied(shard, [update(30, 1)])
        clock[0] += 86_400
        applied(shard, [update(60, 1)])
        assert shard.game("g1").day == date(2024, 1, 5)
        assert GameShard(store).game("g1").day == date(2024, 1, 5)


class TestEnd:
    def played(self, shard: GameShard, *, skip: range = range(0)) -> None:
        shard.register(
            GameRegistration(
                game_id="g1",
                home_team="BOS",
                away_team="LAL",
                start_time=datetime(2024, 1, 6, 0, 30, tzinfo=UTC),
                expected_margin=3.5,
            )
        )
        seen = [item for item in updates(2880) if minute_of(item) not in skip]
        applied(shard, seen)

    def test_what_a_game_teaches_is_kept_when_it_ends(self, shard: GameShard, store: Store):
        self.played(shard)
        assert store.lessons.unlearned_games("m") == []
        shard.end("g1")
        (ended,) = store.lessons.unlearned_games("m")
        assert (ended.date, ended.season, ended.playoffs) == (date(2024, 1, 5), 2023, False)
        assert (ended.home, ended.away, ended.expected_margin) == ("BOS", "LAL", 3.5)
        assert (ended.final_home, ended.final_away) == (48, 0)
        assert ended.margins == tuple(range(1, 49))
        assert ended.last_score is not None
        assert set(ended.last_score) == {1}

    def test_a_game_with_holes_teaches_its_final_score_alone(self, shard: GameShard, store: Store):
        self.played(shard, skip=range(30, 33))
        shard.end("g1")
        (ended,) = store.lessons.unlearned_games("m")
        assert (ended.final_home, ended.margins, ended.last_score) == (48, None, None)

    def test_a_game_whose_end_was_not_seen_teaches_when_it_is(self, shard: GameShard, store: Store):
        self.played(shard, skip=range(47, 49))
        shard.end("g1")
        assert store.lessons.unlearned_games("m") == []
        applied(shard, [update(2880, 50, 1)])
        (ended,) = store.lessons.unlearned_games("m")
        assert (ended.final_home, ended.final_away) == (50, 1)
        applied(shard, [update(2880, 51, 1)])
        assert store.lessons.unlearned_games("m")[0].final_home == 51


def minute_of(item: Update) -> int:
    """The game minute of an update, from 1."""
    clock = GameClock.parse(item.quarter, item.time_remaining)
    return max(1, -int(-clock.elapsed_seconds // 60))
