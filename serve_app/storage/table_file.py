"""Rows of a table in a Parquet file: how backups and archives keep them.

Whole numbers, floats and texts come back as they were; a JSON column is JSON text in the file.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

PAGE_ROWS = 10_000
ARROW_TYPES = {int: pa.int64(), float: pa.float64(), str: pa.string()}

# What pyarrow raises for a file that cannot be read, or that is not what it was taken for.
FileErrors = (OSError, pa.ArrowException)


def write_rows(path: Path, table: sa.Table, pages: Iterable[Sequence[Sequence[Any]]]) -> int:
    """Write pages of rows, a row group each, to a new file; on disk afterwards.

    A row has the table's columns in their order. Returns the number of rows; raises OSError.
    """
    schema = pa.schema([(column.name, _arrow_type(column)) for column in table.columns])
    count = 0
    with path.open("xb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for page in pages:
                writer.write_batch(_batch(table, schema, page))
                count += len(page)
        file.flush()
        os.fsync(file.fileno())
    return count


def _batch(table: sa.Table, schema: Any, page: Sequence[Sequence[Any]]) -> Any:  # noqa: ANN401
    columns = []
    for column, field, values in zip(table.columns, schema, zip(*page, strict=True), strict=True):
        cells = map(_json_text, values) if _is_json(column) else values
        columns.append(pa.array(cells, field.type))
    return pa.record_batch(columns, schema=schema)


def read_pages(path: Path, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file, page by page, by the names of the columns; raises one of `FileErrors`."""
    json_columns = [column.name for column in table.columns if _is_json(column)]
    with pq.ParquetFile(path) as file:
        if (names := file.schema_arrow.names) != table.columns.keys():
            raise pa.ArrowInvalid(f"expected the columns {table.columns.keys()}; got {names}")
        for batch in file.iter_batches(PAGE_ROWS, use_threads=False):
            rows = batch.to_pylist()
            for row in rows:
                for name in json_columns:
                    row[name] = None if row[name] is None else json.loads(row[name])
            yield rows


def rows_where(path: Path, column: str, value: str) -> list[dict[str, Any]]:
    """The rows of a file with this value in a column, in order; raises one of `FileErrors`.

    Row groups whose statistics exclude the value are not read.
    """
    found = pq.read_table(path, filters=[(column, "==", value)], use_threads=False)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def count_rows(path: Path) -> int:
    """How many rows a file says it has; raises one of `FileErrors`."""
    return int(pq.read_metadata(path).num_rows)


def sync_folder(folder: Path) -> None:
    """Have the names of a folder's files on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _arrow_type(column: sa.Column[Any]) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.string() if _is_json(column) else ARROW_TYPES[column.type.python_type]


def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _json_text(value: object) -> str | None:
    return None if value is None else json.dumps(value)
