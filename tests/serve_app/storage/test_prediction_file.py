"""The Parquet export holds the whole log, in the columns that its page of the docs names."""

import datetime
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve_app.process.service_process import ROOT
from serve_app.schemas import (
    Explanation,
    Forecast,
    GameRegistration,
    LineProbability,
    Prediction,
    Revision,
    SimilarGame,
)
from serve_app.storage.prediction_file import SCHEMA, parquet_parts, row
from serve_app.storage.predictions import LoggedPrediction
from serve_app.storage.store import Store
from tests.serve_app.prediction_logs import DAY, Entry, write_log

MADE_AT = datetime.datetime(2024, 11, 6, 2, 3, 4, 567890, tzinfo=datetime.UTC)
EXPLANATION = Explanation(
    dejavu_prediction=3.5,
    lstm_prediction=4.5,
    ensemble_forecast=4.0,
    dejavu_weight=0.5,
    lstm_weight=0.5,
    similar_games=[
        SimilarGame(
            game_id="0021900001",
            date=datetime.date(2020, 2, 29),
            home_team="DAL",
            away_team="DEN",
            pattern=[1.0, -2.5],
            halftime_differential=7.0,
            final_differential=final,
            distance=1.25,
        )
        for final in (None, -3.0)
    ],
)
FORECAST = Forecast(
    point_forecast=4.0,
    interval_lower=-8.0,
    interval_upper=16.0,
    coverage_probability=0.95,
    quantiles={"0.05": -6.0, "0.50": 4.0, "0.95": 14.0},
    win_probability=0.61,
    probabilities_above=[LineProbability(line=3.5, probability=0.5)],
    model_version="nba-1",
    calibration_version="nba-1+7",
    expected_margin=2.0,
    expected_margin_sd=1.5,
    strength="ratings",
    explanation=EXPLANATION,
)
FULL = Prediction(
    **dict(FORECAST),
    game_id="full",
    pattern=[1.0] * 18,
    made_at=MADE_AT,
    quarter=2,
    time_remaining="5:58.5",
    minutes_carried_forward=1,
    last_score=3,
    made_after_halftime=True,
    revisions=[
        Revision(
            reason=reason,
            made_at=MADE_AT,
            pattern=[2.0] * 18,
            minutes_carried_forward=0,
            forecast=FORECAST.model_copy(update={"explanation": explanation}),
        )
        for reason, explanation in (("late_update", EXPLANATION), ("score_correction", None))
    ],
    outcome=Entry(made_at=MADE_AT).outcome(),
)
SPARSE = Entry(actual=None).prediction("sparse")


def logged(prediction: Prediction, number: int = 1) -> LoggedPrediction:
    game = GameRegistration(
        game_id=prediction.game_id, home_team="BOS", away_team="LAL", playoffs=True
    )
    return LoggedPrediction(number, prediction, game, DAY)


def read(parts: Iterator[bytes]) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pq.ParquetFile(io.BytesIO(b"".join(parts)))


def again(cells: dict[str, Any]) -> Prediction:
    """The prediction that a row of the file tells, as a reader would put it together."""
    outcome = cells if cells["resolved_at"] else None
    return Prediction.model_validate(
        {
            **_forecast(cells),
            "outcome": outcome,
            "revisions": [{**one, "forecast": _forecast(one)} for one in cells["revisions"]],
        }
    )


def _forecast(cells: dict[str, Any]) -> dict[str, Any]:
    return {
        **cells,
        "quantiles": dict(cells["quantiles"]),
        "explanation": cells if cells["dejavu_weight"] is not None else None,
    }


def test_every_field_of_a_prediction_comes_back():
    (told,) = read(parquet_parts([[logged(FULL), logged(SPARSE, 2)]])).iter_batches()
    assert told.schema == SCHEMA
    full, sparse = told.to_pylist()
    assert again(full) == FULL
    assert again(sparse) == SPARSE
    assert (full["home_team"], full["away_team"], full["league"]) == ("BOS", "LAL", "nba")
    assert (full["day"], full["playoffs"]) == (DAY, True)
    assert full["made_at"] == MADE_AT
    assert sparse["halftime_margin"] is sparse["covered"] is sparse["similar_games"] is None


def test_no_field_is_without_a_column():
    """A field that a later version adds is found missing here."""
    cells = row(logged(FULL))
    assert set(cells) == set(SCHEMA.names)
    nested = {field.name for field in SCHEMA.field("revisions").type.value_type}
    assert {name for revision in cells["revisions"] for name in revision} == nested


def test_the_file_says_what_the_lines_say(any_store: Store):
    entries = [Entry(day=None), Entry(late=True, actual=None), Entry(quantiles={"0.50": 4.0})]
    write_log(any_store, entries)
    file = read(parquet_parts(any_store.predictions.logged(page=2)))
    assert file.num_row_groups == 2
    rows = file.read().to_pylist()
    lines = [prediction for _, prediction in any_store.predictions.page(0, 10)]
    assert [again(cells) for cells in rows] == lines
    assert [cells["day"] for cells in rows] == [DAY] * 3


def test_an_empty_log_is_a_file_with_the_columns():
    table = read(parquet_parts([])).read()
    assert (table.num_rows, table.schema) == (0, SCHEMA)


def test_rows_go_out_page_by_page():
    asked: list[int] = []

    def pages() -> Iterator[Sequence[LoggedPrediction]]:
        for number in range(3):
            asked.append(number)
            yield [logged(FULL)]

    parts = parquet_parts(pages())
    assert next(parts) == b"PAR1"
    sizes = []
    for number in range(3):
        sizes.append(len(next(parts)))
        assert asked == list(range(number + 1))
    # What was sent is not sent again: the parts do not grow.
    assert max(sizes) < 1.2 * min(sizes)
    assert next(parts).endswith(b"PAR1")


def test_a_file_that_was_cut_short_is_not_taken_for_a_whole_one():
    parts = list(parquet_parts([[logged(FULL)], [logged(SPARSE)]]))
    with pytest.raises(pa.ArrowInvalid):
        pq.ParquetFile(io.BytesIO(b"".join(parts[:-1])))


def test_every_column_is_documented_with_its_type():
    page = (ROOT / "docs" / "exports.md").read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", page, re.MULTILINE))
    plain = {field.name: str(field.type) for field in SCHEMA if not pa.types.is_list(field.type)}
    assert {name: told.get(name) for name in plain} == plain
    assert set(told) == set(SCHEMA.names)
