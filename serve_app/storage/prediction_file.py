"""The prediction log as a Parquet file: a row a prediction, in typed columns.

The columns are told in `docs/exports.md`. Nothing of the log is left out: the explanation and the
outcome stand beside the forecast in columns of their own, revisions are nested.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serve_app.storage.predictions import LoggedPrediction

_TEXT, _WHOLE, _NUMBER, _YES_NO = pa.string(), pa.int32(), pa.float64(), pa.bool_()
_MOMENT = pa.timestamp("us", tz="UTC")
_MARGINS = pa.list_(_NUMBER)

_SIMILAR_GAME = pa.struct(
    [
        ("game_id", _TEXT),
        ("date", pa.date32()),
        ("home_team", _TEXT),
        ("away_team", _TEXT),
        ("pattern", _MARGINS),
        ("halftime_differential", _NUMBER),
        ("final_differential", _NUMBER),
        ("distance", _NUMBER),
    ]
)
_FORECAST = [
    ("point_forecast", _NUMBER),
    ("interval_lower", _NUMBER),
    ("interval_upper", _NUMBER),
    ("coverage_probability", _NUMBER),
    ("quantiles", pa.map_(_TEXT, _NUMBER)),
    ("win_probability", _NUMBER),
    ("probabilities_above", pa.list_(pa.struct([("line", _NUMBER), ("probability", _NUMBER)]))),
    ("horizon", _TEXT),
    ("expected_margin", _NUMBER),
    ("expected_margin_sd", _NUMBER),
    ("strength", _TEXT),
    ("model_version", _TEXT),
    ("calibration_version", _TEXT),
    ("dejavu_prediction", _NUMBER),
    ("lstm_prediction", _NUMBER),
    ("ensemble_forecast", _NUMBER),
    ("dejavu_weight", _NUMBER),
    ("lstm_weight", _NUMBER),
    ("similar_games", pa.list_(_SIMILAR_GAME)),
]
_REVISION = pa.struct(
    [
        ("reason", _TEXT),
        ("made_at", _MOMENT),
        ("pattern", _MARGINS),
        ("minutes_carried_forward", _WHOLE),
        *_FORECAST,
    ]
)
SCHEMA = pa.schema(
    [
        ("game_id", _TEXT),
        ("home_team", _TEXT),
        ("away_team", _TEXT),
        ("league", _TEXT),
        ("playoffs", _YES_NO),
        ("day", pa.date32()),
        ("made_at", _MOMENT),
        ("quarter", _WHOLE),
        ("time_remaining", _TEXT),
        ("pattern", _MARGINS),
        ("minutes_carried_forward", _WHOLE),
        ("last_score", _WHOLE),
        ("made_after_halftime", _YES_NO),
        *_FORECAST,
        ("halftime_margin", _NUMBER),
        ("error", _NUMBER),
        ("persistence_error", _NUMBER),
        ("covered", _YES_NO),
        ("resolved_at", _MOMENT),
        ("revisions", pa.list_(_REVISION)),
    ]
)


def parquet_parts(pages: Iterable[Sequence[LoggedPrediction]]) -> Iterator[bytes]:
    """The bytes of the file as they come, a row group for each page and one in memory at a time.

    A file that was cut short has no footer, and no reader takes it for a whole one.
    """
    sent = _Sent()
    with pq.ParquetWriter(sent, SCHEMA, compression="zstd") as writer:
        yield sent.taken()
        for page in pages:
            rows = [row(logged) for logged in page]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
            yield sent.taken()
    yield sent.taken()


def row(logged: LoggedPrediction) -> dict[str, Any]:
    """One prediction by the names of the columns."""
    made = logged.prediction.model_dump()
    outcome = made.pop("outcome") or {}
    revisions = [_flat(one.pop("forecast")) | one for one in made.pop("revisions")]
    game = logged.registration
    return {
        **_flat(made),
        **outcome,
        "home_team": game.home_team,
        "away_team": game.away_team,
        "league": game.league,
        "playoffs": game.playoffs,
        "day": logged.day,
        "revisions": revisions,
    }


def _flat(forecast: dict[str, Any]) -> dict[str, Any]:
    """A forecast with the parts of its explanation beside it."""
    explanation = forecast.pop("explanation") or {}
    return {**forecast, **explanation, "quantiles": list(forecast["quantiles"].items())}


class _Sent(io.RawIOBase):
    """A file whose bytes are taken away as they are written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Keep the bytes until they are taken."""
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
