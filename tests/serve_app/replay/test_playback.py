import asyncio
import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from rich.console import Console

from serve_app.replay.errors import RefusedError, ReplayError
from serve_app.replay.night import Plan
from serve_app.replay.noise import NoiseRates
from serve_app.replay.playback import PlaybackOptions, connect, play_and_report
from serve_app.replay.recording import Recording
from serve_app.replay.report import Report
from serve_app.replay.report_table import print_report
from serve_app.replay.runner import RunOptions
from serve_app.settings import SHIPPED_BUNDLE

MakeRecording = Callable[..., Recording]
Play = Callable[..., Report]
URL = "http://service"
PLAN = Plan(until="halftime")
MAX_SPEED = RunOptions()


@pytest.fixture(scope="module")
def two_nights(make_recording: MakeRecording) -> list[Recording]:
    rng = np.random.default_rng(1)
    games = []
    for number in range(5):
        events = [
            (quarter, float(rng.integers(0, 720)), *(int(p) for p in rng.integers(0, 4, size=2)))
            for quarter in (1, 2, 3, 4)
            for _ in range(25)
        ]
        date = datetime.date(2030, 1, 1 + number // 3)
        games.append(make_recording(events, game_id=f"00229{number:05d}", date=date))
    return games


@pytest.fixture
def play(service: httpx.ASGITransport, two_nights: list[Recording]) -> Play:
    def run(
        plan: Plan = PLAN,
        run: RunOptions = MAX_SPEED,
        bundle: Path | None = None,
        transport: httpx.AsyncBaseTransport = service,
        games: int = 5,
    ) -> Report:
        options = PlaybackOptions(plan=plan, run=run, bundle=bundle)

        async def playing() -> Report:
            async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
                return await play_and_report(client, two_nights[:games], "two nights", options)

        return asyncio.run(playing())

    return run


def test_every_game_is_predicted_once_from_the_right_pattern(play: Play) -> None:
    report = play(bundle=SHIPPED_BUNDLE)
    assert report.failures() == []
    assert report.predictions.once == report.predictions.games == 5
    assert report.patterns.frozen_equal == report.patterns.current_equal == 5
    assert report.quality.resolved == report.quality.outcomes_equal == 5
    assert report.offline is not None
    assert report.offline.equal == 5
    assert report.offline.scores_equal
    traffic = report.traffic
    assert traffic.accepted == traffic.updates > 2_000
    assert traffic.rejected == traffic.duplicates == 0
    assert set(traffic.latency_ms) == {"p50", "p90", "p99", "max"}
    assert traffic.updates / 100 < traffic.requests < traffic.updates / 50


def test_games_count_for_their_night_and_the_offline_forecasts_know_what_was_learned(
    play: Play, service: httpx.ASGITransport, two_nights: list[Recording]
) -> None:
    report = play(replace(PLAN, until="final"), bundle=SHIPPED_BUNDLE, games=4)
    assert report.failures() == []
    assert report.offline is not None
    assert report.offline.equal + report.offline.adapted == 4
    assert report.offline.equal >= 3

    async def read() -> list[dict[str, object]]:
        async with httpx.AsyncClient(transport=service, base_url=URL) as client:
            return (await client.get("/games")).json()  # type: ignore[no-any-return]

    games = {game["game_id"]: game for game in asyncio.run(read())}
    days = {recording.game_id: recording.date.isoformat() for recording in two_nights[:4]}
    assert {name: game["day"] for name, game in games.items()} == days


def test_a_report_is_printed_for_people(play: Play) -> None:
    report = play(replace(PLAN, noise=NoiseRates()), bundle=SHIPPED_BUNDLE, games=2)
    console = Console(width=100, record=True, file=StringIO())
    print_report(console, replace(report, selection="two games"))
    lines = [line.split("│") for line in console.export_text().splitlines()]
    rows = {cells[1].strip(): cells[2].strip() for cells in lines if len(cells) == 4}
    assert rows["games"] == rows["predicted exactly once"] == "2"
    assert rows["missing / doubled"] == "0 / 0"
    assert rows["all metrics equal"] in {"yes", "no"}
    assert f"{report.noise['late']:,} late" in rows["noise"]
    assert rows["updates posted"].startswith(f"{report.traffic.updates:,} in")


def test_single_posts_come_to_the_same(play: Play) -> None:
    single = play(run=RunOptions(post="single"), games=1)
    assert single.failures() == []
    assert single.predictions.once == 1
    registered_and_ended = 2
    assert single.traffic.requests == single.traffic.updates + registered_and_ended


def test_noise_without_drops_leaves_the_current_patterns_right(play: Play) -> None:
    rates = NoiseRates(dropped=0.0, late=0.1, repeated=0.1, reordered=0.1, corrected=0.05)
    report = play(replace(PLAN, noise=rates), bundle=SHIPPED_BUNDLE)
    assert report.failures() == []
    assert report.predictions.once == report.patterns.current_equal == 5
    assert report.quality.outcomes_equal == 5
    assert report.traffic.duplicates >= report.noise["repeated"] > 0


def test_dropped_updates_are_told_apart(play: Play) -> None:
    rates = NoiseRates(dropped=0.8, late=0.0, reordered=0.0, corrected=0.0)
    report = play(replace(PLAN, noise=rates))
    assert report.failures() == []
    stale = report.patterns.stale_by_drop
    assert stale
    assert report.patterns.current_equal + len(stale) == report.predictions.once == 5


def test_where_too_much_is_dropped_the_pattern_is_insufficient(play: Play) -> None:
    report = play(replace(PLAN, noise=NoiseRates(dropped=0.97)))
    assert report.failures() == []
    assert report.predictions.insufficient
    assert all(len(minutes) > 2 for minutes in report.predictions.insufficient.values())
    assert report.predictions.once + len(report.predictions.insufficient) == 5


def test_a_night_can_be_played_again_under_a_prefix(play: Play) -> None:
    assert play().failures() == []
    again = play(replace(PLAN, prefix="again-"))
    assert again.failures() == []
    assert again.predictions.once == 5


class ForgetfulLog(httpx.AsyncBaseTransport):
    """A service whose log has lost one game and has another one twice."""

    def __init__(self, service: httpx.AsyncBaseTransport, lost: str, twice: str) -> None:
        self._service, self._lost, self._twice = service, lost, twice

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._service.handle_async_request(request)
        if request.url.path != "/predictions":
            return answer
        page = json.loads(await answer.aread())
        kept = [p for p in page["predictions"] if p["game_id"] != self._lost]
        kept += [p for p in kept if p["game_id"] == self._twice]
        return httpx.Response(200, json={**page, "predictions": kept})


def test_a_lost_and_a_doubled_prediction_are_failures(
    play: Play, service: httpx.ASGITransport
) -> None:
    report = play(transport=ForgetfulLog(service, lost="0022900000", twice="0022900003"))
    assert report.predictions.missing == ["0022900000"]
    assert report.predictions.doubled == ["0022900003"]
    assert report.predictions.once == 3
    failures = report.as_json()["failures"]
    assert any("without a prediction: 0022900000" in failure for failure in failures)
    assert any("more than once: 0022900003" in failure for failure in failures)


def test_a_registration_that_is_refused_ends_the_replay(
    play: Play, service: httpx.ASGITransport
) -> None:
    async def take_the_id() -> None:
        async with httpx.AsyncClient(transport=service, base_url=URL) as client:
            game = {"game_id": "0022900001", "home_team": "DEN", "away_team": "DAL"}
            (await client.post("/games", json=game)).raise_for_status()

    asyncio.run(take_the_id())
    with pytest.raises(RefusedError, match=r"0022900001.*--prefix"):
        play()


def test_without_a_service_the_error_says_what_to_do(two_nights: list[Recording]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async def playing() -> None:
        transport = httpx.MockTransport(refuse)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            options = PlaybackOptions(plan=Plan(), run=RunOptions())
            await play_and_report(client, two_nights, "two nights", options)

    with pytest.raises(ReplayError, match="make serve"):
        asyncio.run(playing())


async def test_a_replay_sends_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    async with connect(URL, 1) as client:
        assert "authorization" not in client.headers
    monkeypatch.setenv("HALFTIME_API_KEY", "of-the-environment")
    async with connect(URL, 1) as client:
        assert client.headers["authorization"] == "Bearer of-the-environment"
