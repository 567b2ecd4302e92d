"""Recorded games to play, made by hand or drawn at random, and a service to play them to."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import strategies as st

from models.game.league import NBA
from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.replay.recording import Recording
from serve_app.settings import Settings
from serve_app.shards.game_shard import GameShard
from serve_app.storage.store import Store
from tests.serve_app.conftest import LocalShards

Event = tuple[int, float, int, int]  # period, seconds remaining, points home, points away
MakeRecording = Callable[..., Recording]


def record(
    events: Sequence[Event],
    game_id: str = "0022300001",
    date: datetime.date = datetime.date(2024, 4, 14),
    periods: int = 4,
) -> Recording:
    """A recording from points scored at clocks; each period ends with a row at 0.0."""
    ordered = sorted(events, key=lambda event: (event[0], -event[1]))
    rows: list[tuple[int, int, int, int]] = []
    home = away = 0
    for period in range(1, periods + 1):
        length = NBA.length_seconds(period)
        for _, remaining, points_home, points_away in (e for e in ordered if e[0] == period):
            home, away = max(home + points_home, 0), max(away + points_away, 0)
            rows.append((period, round((length - remaining) * 1000), home, away))
        rows.append((period, length * 1000, home, away))
    columns = np.array(rows, dtype=np.int64)
    return Recording(
        game_id=game_id,
        date=date,
        season=2023,
        home="BOS",
        away="WAS",
        periods=periods,
        expected_margin=None,
        period=columns[:, 0],
        played=columns[:, 1],
        score_home=columns[:, 2],
        score_away=columns[:, 3],
    )


@pytest.fixture(scope="session")
def make_recording() -> MakeRecording:
    return record


@pytest.fixture(scope="session")
def recordings() -> st.SearchStrategy[Recording]:
    """Games of four or five periods, with free throws, buzzer beaters and scores taken back."""
    clock = st.one_of(
        st.sampled_from([720.0, 690.0, 660.0, 420.0, 360.0, 180.0, 60.0, 0.0]),
        st.integers(0, 720).map(float),
        st.integers(0, 600).map(lambda tenths: tenths / 10),
    )
    event = st.tuples(
        st.integers(1, 4), clock, st.sampled_from([0, 0, 1, 2, 3, -2]), st.integers(0, 3)
    )
    free_throws = event.flatmap(lambda e: st.just([e, (e[0], e[1], 1, 0)]))
    plays = st.lists(st.one_of(event.map(lambda e: [e]), free_throws), max_size=60)
    overtime = st.lists(
        st.tuples(st.just(5), st.integers(0, 300).map(float), st.just(2), st.just(0))
    )
    return st.builds(
        lambda plays, extra: record(
            [event for play in plays for event in play] + extra, periods=5 if extra else 4
        ),
        plays,
        overtime,
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[httpx.ASGITransport]:
    """The real routes, shard, store and shipped models, in this process."""
    settings = Settings(data_dir=tmp_path, placement="fused")
    store, log = Store.at(tmp_path), Store.at(tmp_path)
    model = ServedModel(settings, log)
    live = LiveService(settings, LocalShards(GameShard(store), model), model, model)
    yield httpx.ASGITransport(app=build_api(settings, live, log, model))
    store.close()
    log.close()
