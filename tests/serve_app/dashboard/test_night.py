"""The night on the page: what the feed's messages make of it."""

import json

from serve_app.game.due_forecast import DueForecast
from serve_app.live.message import change, snapshot
from serve_app.live.subscription import SYSTEM, TYPES
from serve_app.schemas import Revision
from serve_app.shards.game_shard import GameShard
from serve_app.shards.shard_messages import Applied, MadeForecast, Update
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration, update, updates
from tests.serve_app.dashboard.page_modules import (
    ARRIVAL,
    FORECAST,
    NOW,
    OUTCOME,
    PREDICTION,
    RUNNING,
    Modules,
    message,
    needs_node,
    score,
    view,
)


@needs_node
def test_a_game_goes_from_registration_to_its_end(modules: Modules) -> None:
    revision = Revision(
        reason="score_correction",
        made_at=NOW,
        pattern=PREDICTION.pattern,
        minutes_carried_forward=0,
        forecast=FORECAST,
    )
    steps = [
        message("snapshot", games=[]),
        message("game", game=view(state="registered")),
        score("11:40", 2, 0, quarter=1),
        message("prediction", game_id="g", prediction=PREDICTION),
        message("revision", game_id="g", revision=revision),
        message("revision", game_id="g", revision=revision),
        message("outcome", game_id="g", outcome=OUTCOME),
        message("ended", game_id="g"),
    ]
    states = [modules.night(*steps[:count])["games"]["g"]["state"] for count in range(2, 9)]
    assert states == ["registered", "live", *["predicted"] * 3, "resolved", "ended"]
    night = modules.night(*steps)
    game = night["games"]["g"]
    assert len(game["prediction"]["revisions"]) == 1
    assert game["prediction"]["point_forecast"] == PREDICTION.point_forecast
    assert game["prediction"]["outcome"]["halftime_margin"] == 10
    assert game["trail"][-1] == [1440, 10]
    assert night["counts"] == {"games": 1, "predicted": 1, "resolved": 1}
    assert night["predicted"] == ["g"]


@needs_node
def test_the_shards_messages_and_its_snapshot_tell_the_same_night(
    modules: Modules, shard: GameShard, store: Store
) -> None:
    begin = snapshot(0, []).text

    def post(batch: list[Update]) -> None:
        for item in shard.apply(batch):
            assert isinstance(item, Applied)
            if item.due is not None:
                shard.forecasts.record(item.due, forecast())
            if isinstance(item.running, DueForecast):
                shard.forecasts.record_running([MadeForecast(item.running, None, forecast())])

    for game_id in ("waiting", "played", "halfway", "holes"):
        shard.register(registration(game_id))
    post([update(60, 2, game_id="holes"), update(1100, 30, game_id="holes")])
    post(updates(1110, game_id="halfway"))
    post(updates(1110, game_id="played"))
    post([update(1080, 20, game_id="played")])
    post(updates(2880, game_id="played", start=1140))
    shard.end("played")

    told = [change(row).text for row in store.journal.after(0, 10_000)]
    kinds = {json.loads(text)["type"] for text in told}
    assert kinds == TYPES - {SYSTEM}
    views = shard.games(["waiting", "played", "halfway", "holes"])
    seen_now = snapshot(len(told), [view.model_dump_json() for view in views]).text
    heard, seen = (
        modules.night_of_texts([begin, *told]),
        modules.night_of_texts([seen_now]),
    )
    assert (heard["counts"], heard["order"]) == (seen["counts"], seen["order"])
    assert heard["counts"] == {"games": 4, "predicted": 2, "resolved": 1}
    shown = (
        "state",
        "quarter",
        "time_remaining",
        "score_home",
        "score_away",
        "margin",
        "prediction",
        "forecast",
    )
    for game_id, game in seen["games"].items():
        told_of = heard["games"][game_id]
        assert {name: told_of[name] for name in shown} == {name: game[name] for name in shown}
        assert [point for point in game["trail"] if point not in told_of["trail"]] == []


@needs_node
def test_the_newest_running_forecast_is_shown_whatever_came_last(modules: Modules) -> None:
    newer = RUNNING.model_copy(update={"updates": 9, "time_remaining": "3:50"})
    told = [message("forecast", game_id="g", forecast=made) for made in (RUNNING, newer, RUNNING)]
    game = modules.night(message("snapshot", games=[view()]), *told)["games"]["g"]
    assert game["forecast"]["time_remaining"] == "3:50"
    game = modules.night(message("snapshot", games=[view(forecast=newer)]), told[0])["games"]["g"]
    assert game["forecast"]["updates"] == 9


@needs_node
def test_a_late_update_fills_the_past_and_leaves_the_clock(modules: Modules) -> None:
    updates = [score("7:00", 40, 30), score("8:00", 36, 31), score("7:00", 39, 30)]
    game = modules.night(message("snapshot", games=[view()]), *updates)["games"]["g"]
    assert (game["time_remaining"], game["score_home"], game["margin"]) == ("7:00", 39, 9)
    assert game["trail"] == [[0, 0], [960, 5], [1020, 9]]


@needs_node
def test_a_snapshot_replaces_all_and_what_was_missed_is_not_drawn(modules: Modules) -> None:
    games = [
        view("b", pattern=[1, 2, 2, 2, 5], missing_minutes=[3, 4], quarter=1, margin=6,
             time_remaining="6:30"),
    ]  # fmt: skip
    night = modules.night(message("snapshot", games=[view("a")]), message("snapshot", games=games))
    assert list(night["games"]) == ["b"]
    trail = night["games"]["b"]["trail"]
    assert trail == [[0, 0], [60, 1], [120, 2], [300, 5], [330, 6]]
    shapes = modules.run(
        "return chart.chartShapes({trail: given}, chart.chartRange({trail: given}));", trail
    )
    assert (shapes["seen"].count("M"), shapes["gap"].count("M")) == (2, 1)


@needs_node
def test_unknown_types_and_games_that_are_not_shown_change_nothing(modules: Modules) -> None:
    snapshot = message("snapshot", games=[view()]).model_dump(mode="json")
    strange = [{"seq": 2, "type": kind, "time": "", "game_id": "g"} for kind in ("x", "toString")]
    other = score("6:30", 1, 0, game_id="other").model_dump(mode="json")
    changed, games = modules.run(
        """
        const tonight = night.emptyNight();
        night.apply(tonight, given[0]);
        const changed = given.slice(1).flatMap((message) => night.apply(tonight, message));
        return [changed, [...tonight.games.keys()]];
        """,
        [snapshot, *strange, other],
    )
    assert (changed, games) == ([], ["g"])


@needs_node
def test_messages_that_a_snapshot_held_already_do_no_harm(modules: Modules) -> None:
    resolved = PREDICTION.model_copy(update={"outcome": OUTCOME})
    known = view(
        state="ended",
        quarter=4,
        time_remaining="0:00",
        margin=1,
        feed_lag_seconds=0,
        prediction=resolved,
    )
    again = [
        message("game", game=view(state="registered")),
        score("5:58", 40, 35, state="live"),
        message("prediction", game_id="g", prediction=PREDICTION),
        message("outcome", game_id="g", outcome=OUTCOME),
        message("ended", game_id="g"),
    ]
    snapshot = message("snapshot", games=[known])
    before = modules.night(snapshot)["games"]["g"]
    after = modules.night(snapshot, *again)
    assert after["games"]["g"] == {**before, "trail": after["games"]["g"]["trail"]}
    assert after["predicted"] == []


@needs_node
def test_a_superseded_score_is_not_shown(modules: Modules) -> None:
    updates = [score("7:00", 40, 30), score("7:00", 38, 30, flags=["superseded"])]
    game = modules.night(message("snapshot", games=[view()]), *updates)["games"]["g"]
    assert (game["score_home"], game["trail"][-1]) == (40, [1020, 10])


@needs_node
def test_a_game_is_under_way_until_it_is_over(modules: Modules) -> None:
    states = ["ended", "resolved", "missed", "predicted", "registered", "live"]
    games = [view(state, state=state) for state in states]
    order = modules.night(message("snapshot", games=games))["order"]
    assert order == {
        "live": ["live", "missed", "predicted", "resolved"],
        "upcoming": ["registered"],
        "settled": ["ended"],
    }
    assert list(order) == ["live", "upcoming", "settled"]


@needs_node
def test_a_game_that_ends_while_it_is_looked_at_keeps_its_place(modules: Modules) -> None:
    ended, live = view(state="ended").model_dump(mode="json"), view().model_dump(mode="json")
    ask = "return night.phaseAfter(given.stood, given.game, given.anew);"
    for stood, game, anew, expected in [
        ("live", ended, False, "live"),
        ("live", ended, True, "settled"),
        (None, ended, False, "settled"),
        ("upcoming", live, False, "live"),
    ]:
        assert modules.run(ask, {"stood": stood, "game": game, "anew": anew}) == expected


@needs_node
def test_a_game_is_long_over_ten_minutes_after_its_end(modules: Modules) -> None:
    games = [
        view("long", state="ended", feed_lag_seconds=601),
        view("just", state="ended", feed_lag_seconds=599),
        view("unheard", state="ended"),
        view("silent", state="resolved", feed_lag_seconds=3600),
        view("tomorrow", state="registered"),
    ]
    told = modules.run(
        """
        const tonight = night.emptyNight();
        night.apply(tonight, given, 1e12);
        return night.longOver(tonight, 1e12);
        """,
        message("snapshot", games=games).model_dump(mode="json"),
    )
    assert told == ["long", "unheard"]


@needs_node
def test_an_outcome_of_a_forecast_made_after_halftime_does_not_count(modules: Modules) -> None:
    late = PREDICTION.model_copy(update={"made_after_halftime": True, "outcome": OUTCOME})
    good = PREDICTION.model_copy(update={"outcome": OUTCOME})
    games = [view("late", prediction=late), view("good", prediction=good), view("new")]
    night = modules.night(message("snapshot", games=games))
    assert night["counts"] == {"games": 3, "predicted": 2, "resolved": 1}


@needs_node
def test_the_night_knows_when_each_game_was_heard_of(modules: Modules) -> None:
    games = [view("waiting", state="registered"), view("g", feed_lag_seconds=90.5)]
    night = modules.night(message("snapshot", games=games))
    assert night["games"]["waiting"]["heardAt"] is None
    assert night["games"]["g"]["heardAt"] == ARRIVAL - 90_500
    night = modules.night(message("snapshot", games=games), score("7:00", 40, 30))
    assert night["games"]["g"]["heardAt"] == ARRIVAL
    night = modules.night(message("snapshot", games=games), message("ended", game_id="waiting"))
    assert night["games"]["waiting"]["heardAt"] == ARRIVAL


@needs_node
def test_games_of_another_night_leave_a_page_that_stays_open(modules: Modules) -> None:
    day = 24 * 3600.0
    games = [
        view("yesterday", state="ended", feed_lag_seconds=day + 1),
        view("abandoned", state="live", feed_lag_seconds=day + 1),
        view("tonight", state="ended", feed_lag_seconds=day - 1),
        view("tomorrow", state="registered"),
    ]
    snapshot_text = message("snapshot", games=games).model_dump(mode="json")
    gone, left = modules.run(
        """
        const tonight = night.emptyNight();
        night.apply(tonight, given, 1e12);
        return [night.forgetOld(tonight, 1e12), [...tonight.games.keys()]];
        """,
        snapshot_text,
    )
    assert gone == ["yesterday", "abandoned"]
    assert left == ["tonight", "tomorrow"]


@needs_node
def test_the_page_asks_for_every_type_that_it_understands(modules: Modules) -> None:
    asked = modules.run("return night.ASKED_TYPES;")
    assert set(asked) == TYPES
