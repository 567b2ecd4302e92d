import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from serve_app.game.game_day import day_of
from serve_app.replay.delivery import Delivery
from serve_app.replay.errors import DeliveryError, RefusedError
from serve_app.replay.night import Night, Plan, nights
from serve_app.replay.poll_stream import Update
from serve_app.replay.recording import Recording
from serve_app.replay.runner import Runner, RunOptions, message
from serve_app.schemas import GameRegistration, GameScoreUpdate, ScoreUpdate

MakeRecording = Callable[..., Recording]


@dataclass
class Listener:
    """Keeps what it is posted; `refusing` says which items of a list to turn down once."""

    posts: list[tuple[str, Any]] = field(default_factory=list)
    taken: dict[str, list[int]] = field(default_factory=dict)
    refusing: set[tuple[str, int]] = field(default_factory=set)
    wrong: set[tuple[str, int]] = field(default_factory=set)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        content: Any = json.loads(request.content or b"null")
        self.posts.append((request.url.path, content))
        if request.url.path == "/scores":
            return httpx.Response(200, json=[self.item(update) for update in content])
        if request.url.path.endswith("/scores"):
            game_id = request.url.path.split("/")[2]
            return httpx.Response(200, json=self.item({**content, "game_id": game_id})["result"])
        return httpx.Response(200, json={})

    def item(self, update: dict[str, Any]) -> dict[str, Any]:
        place = (update["game_id"], update["sequence"])
        if place in self.refusing:
            self.refusing.discard(place)
            return {"status": 503, "problem": {"type": "unavailable"}}
        if place in self.wrong:
            return {"status": 422, "problem": {"type": "invalid"}}
        self.taken.setdefault(update["game_id"], []).append(update["sequence"])
        result = {"game_id": update["game_id"], "accepted": True, "duplicate": False}
        return {"status": 200, "result": result}


class FakeClock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def night(make_recording: MakeRecording) -> Night:
    events = [(1, 700.0 - 7 * i, 2, 0) for i in range(40)]
    games = [make_recording(events, game_id=f"g{number}") for number in range(3)]
    (one,) = nights(games, Plan(until="halftime"))
    return one


def play(
    night: Night,
    listener: Callable[[httpx.Request], httpx.Response],
    options: RunOptions,
    clock: FakeClock | None = None,
) -> Runner:
    clock = clock or FakeClock()

    async def playing() -> Runner:
        transport = httpx.MockTransport(listener)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            runner = Runner(Delivery(client, clock=clock), options, clock=clock)
            await runner.play(night)
            return runner

    return asyncio.run(playing())


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(),
        RunOptions(list_size=7, lanes=2),
        RunOptions(post="single", lanes=3),
        RunOptions(speed=1000.0, lanes=9),
    ],
)
def test_each_games_updates_arrive_all_and_in_order(night: Night, options: RunOptions) -> None:
    listener = Listener()
    runner = play(night, listener, options)
    for game in night.games:
        assert listener.taken[game.game_id] == list(range(len(game.updates)))
    assert runner.tally.posted == runner.tally.accepted == len(night.updates())


def test_games_are_registered_first_and_ended_last(night: Night) -> None:
    listener = Listener()
    play(night, listener, RunOptions())
    paths = [path for path, _ in listener.posts]
    assert paths[:3] == ["/games"] * 3
    registrations = [GameRegistration.model_validate(body) for _, body in listener.posts[:3]]
    assert [game.game_id for game in registrations] == ["g0", "g1", "g2"]
    for game in night.games:
        ends = [i for i, path in enumerate(paths) if path == f"/games/{game.game_id}/end"]
        scores = [
            i
            for i, (path, body) in enumerate(listener.posts)
            if path == "/scores" and any(u["game_id"] == game.game_id for u in body)
        ]
        assert len(ends) == 1
        assert ends[0] > max(scores)


def test_a_game_is_registered_with_its_start_and_its_kind(make_recording: MakeRecording) -> None:
    kinds = (False, True)
    recordings = [
        replace(make_recording([], game_id=f"g{place}"), playoffs=kind)
        for place, kind in enumerate(kinds)
    ]
    (night,) = nights(recordings, Plan(until="halftime"))
    listener = Listener()
    play(night, listener, RunOptions())
    registered = [
        GameRegistration.model_validate(content)
        for path, content in listener.posts
        if path == "/games"
    ]
    assert [game.playoffs for game in registered] == list(kinds)
    starts = [game.start_time for game in registered]
    assert [start and day_of(start) for start in starts] == [night.date, night.date]


def test_lists_mix_games_and_keep_to_their_size(night: Night) -> None:
    listener = Listener()
    play(night, listener, RunOptions(list_size=50, lanes=1))
    lists = [body for path, body in listener.posts if path == "/scores"]
    assert max(len(one) for one in lists) == 50
    assert any(len({update["game_id"] for update in one}) > 1 for one in lists)
    GameScoreUpdate.model_validate(lists[0][0])


def test_no_list_brings_trigger_and_halftime_at_once(night: Night) -> None:
    listener = Listener()
    play(night, listener, RunOptions(list_size=5_000, lanes=3))
    for body in (body for path, body in listener.posts if path == "/scores"):
        sent = [datetime.fromisoformat(update["timestamp"]) for update in body]
        assert max(sent) - min(sent) < timedelta(minutes=10)


def test_of_a_list_only_the_updates_that_failed_are_sent_again(night: Night) -> None:
    listener = Listener(refusing={("g0", 3), ("g2", 10)})
    runner = play(night, listener, RunOptions())
    assert runner.tally.resent == 2
    assert runner.tally.posted == runner.tally.accepted == len(night.updates())
    assert sorted(listener.taken["g0"]) == list(range(len(night.games[0].updates)))


def test_a_refused_update_is_counted_and_spoils_nothing(night: Night) -> None:
    listener = Listener(wrong={("g0", 3)})
    runner = play(night, listener, RunOptions())
    assert runner.tally.rejected == 1
    assert runner.tally.problems == [{"type": "invalid"}]
    assert runner.tally.accepted == len(night.updates()) - 1


def test_a_refused_list_is_counted_by_its_updates(night: Night) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/scores":
            return httpx.Response(413, json={"type": "too-large", "status": 413})
        return httpx.Response(200, json={})

    runner = play(night, refuse, RunOptions())
    assert runner.tally.rejected == runner.tally.posted == len(night.updates())
    assert runner.tally.problems[0]["type"] == "too-large"


def test_a_speed_spreads_the_night_over_its_time(night: Night) -> None:
    clock = FakeClock()
    play(night, Listener(), RunOptions(speed=100.0), clock)
    span = (night.updates()[-1].sent_ms - night.updates()[0].sent_ms) / 1000
    assert clock.time - 100.0 == pytest.approx(span / 100.0)


def test_at_full_speed_it_never_waits(night: Night) -> None:
    clock = FakeClock()
    play(night, Listener(), RunOptions(), clock)
    assert clock.time == 100.0


def test_a_service_that_stays_away_ends_the_run(night: Night) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503 if request.url.path == "/scores" else 200, json={})

    with pytest.raises(DeliveryError, match="status 503"):
        play(night, away, RunOptions())


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("conflict", r"\. .*\(--prefix again-\)"),
        ("unauthorized", r"\. .*HALFTIME_API_KEY"),
        ("forbidden", r"\. .*HALFTIME_API_KEY"),
        ("forbidden_host", ""),
    ],
)
def test_a_game_that_is_refused_ends_the_run_and_says_what_to_do(
    night: Night, kind: str, advice: str
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"type": f"urn:problem:{kind}", "detail": "not this"})

    with pytest.raises(RefusedError, match=rf"g0: 403 not this{advice}$"):
        play(night, refuse, RunOptions())


def test_a_message_is_what_the_contract_has() -> None:
    update = Update(5_000, 1_713_139_200_123, "g0", 2, 360_000, 50, 41, 7)
    body = ScoreUpdate.model_validate_json(json.dumps(message(update, with_game=False)))
    assert (body.quarter, body.time_remaining, body.sequence) == (2, "6:00", 7)
    assert body.timestamp is not None
    assert body.timestamp.timestamp() == 1_713_139_200.123
    assert message(update, with_game=True)["game_id"] == "g0"
