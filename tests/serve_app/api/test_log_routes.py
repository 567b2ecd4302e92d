"""The routes of the log: what they answer, in which form, and what they refuse."""

import datetime
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from serve_app.api.ingress import build_api
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import AccuracyDays, Prediction
from serve_app.settings import Settings
from serve_app.storage.store import Store
from tests.serve_app.prediction_logs import DAY, Entry, write_log


@pytest.fixture
async def http(service: LiveService, store: Store) -> AsyncIterator[httpx.AsyncClient]:
    api = build_api(Settings(), service, store, ServedModel(Settings(), store))
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def test_the_parquet_file_has_the_rows_of_the_lines(http: httpx.AsyncClient, store: Store):
    write_log(store, [Entry(), Entry(actual=None), Entry(late=True)])
    answer = await http.get("/predictions.parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"] == 'attachment; filename="predictions.parquet"'
    rows = pq.read_table(io.BytesIO(answer.content)).to_pylist()
    lines = (await http.get("/predictions.jsonl")).text.splitlines()
    for row, line in zip(rows, lines, strict=True):
        told = Prediction.model_validate_json(line)
        outcome = told.outcome
        assert [row["game_id"], row["point_forecast"], row["made_after_halftime"]] == [
            told.game_id,
            told.point_forecast,
            told.made_after_halftime,
        ]
        assert row["halftime_margin"] == (None if outcome is None else outcome.halftime_margin)


async def test_an_empty_log_is_a_file_too(http: httpx.AsyncClient):
    answer = await http.get("/predictions.parquet")
    assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0


async def test_a_store_that_fails_is_told_before_the_file_begins(
    http: httpx.AsyncClient, store: Store
):
    write_log(store, [Entry()])
    store.close()
    with Path(str(store.database.url.database)).open("r+b") as file:
        file.write(b"no database any more")
    answer = await http.get("/predictions.parquet")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_accuracy_of_each_day_stands_beside_persistence(
    http: httpx.AsyncClient, store: Store
):
    next_day = DAY + datetime.timedelta(days=1)
    quantiles = {"0.50": 4.0}
    write_log(store, [Entry(quantiles=quantiles), Entry(day=next_day, actual=9.0)])
    answer = await http.get("/accuracy/days")
    found = AccuracyDays.model_validate_json(answer.content)
    assert [day.day for day in found.days] == [DAY, next_day]
    assert [day.ensemble.mae for day in found.days] == [1.0, 5.0]
    assert [day.persistence.mae for day in found.days] == [2.0, 6.0]
    assert [level.observed for level in found.calibration] == [0.0]
    newest = (await http.get("/accuracy/days", params={"limit": 1})).json()["days"]
    assert [day["day"] for day in newest] == [next_day.isoformat()]
    until = (await http.get("/accuracy/days", params={"until": DAY.isoformat()})).json()["days"]
    assert [day["day"] for day in until] == [DAY.isoformat()]


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 1_001}, {"since": "yesterday"}, {"until": "20241105"}]
)
async def test_days_that_are_none_are_refused(http: httpx.AsyncClient, asked: dict[str, str | int]):
    answer = await http.get("/accuracy/days", params=asked)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem:invalid_request"
    assert next(iter(asked)) in answer.json()["detail"]
