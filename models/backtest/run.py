"""Running a backtest: folds, then chunks, on an executor; what is done already is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.backtest.chunk import score_chunk
from models.backtest.executor import Call, Done, Executor
from models.backtest.fold import Fold, Prepared, save_bundle
from models.backtest.origin import Origin
from models.backtest.plan import Chunk
from models.backtest.rows import is_written, write_part
from models.errors import DataError

ROWS, FOLDS, BUNDLES = "rows", "folds", "bundles"

# What is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Ran:
    """The parts of a backtest in order, how many of them were made now, and what that took.

    `peaks` is the most memory that each process has held, in bytes, by its id.
    """

    parts: list[Path]
    made: int = 0
    peaks: dict[int, int] = field(default_factory=dict)

    @property
    def peak_bytes(self) -> int:
        """Of all processes together, had each held its most at the same time."""
        return sum(self.peaks.values())

    def read(self, done: Done) -> None:
        """Take what one task has cost."""
        self.peaks[done.pid] = max(done.peak_bytes, self.peaks.get(done.pid, 0))


def run_backtest(
    origin: Origin, out: Path, executor: Executor, progress: Progress = lambda *_: None
) -> Ran:
    """Do what is not done yet.

    The folder gets `rows/` (the parts), `folds/` (forecasts) and `bundles/` (what was trained).
    The same plan gives the same bytes whatever the executor, and whether it ran at once or was
    interrupted.

    Raises DataError where the folder holds another backtest.
    """
    chunks = list(origin.plan.chunks())
    ran = Ran([out / ROWS / chunk.name for chunk in chunks])
    _expect_no_others(ran.parts)
    missing = [
        chunk
        for chunk, part in zip(chunks, ran.parts, strict=True)
        if not is_written(part, origin.plan.fingerprint)
    ]
    _make_folds(origin, out, executor, progress=progress, ran=ran, missing=missing)
    progress("chunks", len(chunks) - len(missing), len(chunks))
    for done in executor.run(_scoring(origin, out, executor, missing)):
        ran.read(done)
        ran.made += 1
        write_part(done.result, out / ROWS / missing[done.place].name, origin.plan.fingerprint)
        progress("chunks", len(chunks) - len(missing) + ran.made, len(chunks))
    return ran


def _make_folds(
    origin: Origin,
    out: Path,
    executor: Executor,
    *,
    progress: Progress,
    ran: Ran,
    missing: Sequence[Chunk],
) -> None:
    """Make the folds of the missing chunks, but for those that a run before has left."""
    needed = sorted({origin.fold_of(chunk.season) for chunk in missing})
    fingerprint = origin.plan.fingerprint
    absent = [name for name in needed if Fold.load(_fold(out, name), fingerprint) is None]
    made = len(needed) - len(absent)
    if needed:
        progress("folds", made, len(needed))
    calls = (origin.prepare(name, executor.share) for name in absent)
    for done in executor.run(calls):
        ran.read(done)
        prepared: Prepared = done.result
        name = absent[done.place]
        # The fold last: where it is, its bundle is, too.
        if prepared.bundle is not None:
            save_bundle(prepared.bundle, prepared.card, out / BUNDLES / name)
        prepared.fold.save(_fold(out, name), fingerprint)
        made += 1
        progress("folds", made, len(needed))


def _scoring(
    origin: Origin, out: Path, executor: Executor, missing: Sequence[Chunk]
) -> Iterator[Call]:
    """The call of every missing chunk; those of a season are shared once."""
    season: int | None = None
    shared: tuple[object, ...] = ()
    for chunk in missing:
        if chunk.season != season:
            season = chunk.season
            tables = origin.tables(season)
            fold = Fold.load(_fold(out, origin.fold_of(season)), origin.plan.fingerprint)
            if fold is None:
                raise DataError(
                    f"{_fold(out, origin.fold_of(season))}: expected it; it was removed"
                )
            fold = fold.of(np.isin(fold.game_id, tables.test.game_id))
            shared = tuple(executor.share(one) for one in (fold, *tables))
        yield Call(score_chunk, (chunk, *shared))


def _fold(out: Path, name: str) -> Path:
    return out / FOLDS / f"{name}.npz"


def _expect_no_others(parts: Sequence[Path]) -> None:
    """Rows that nobody asked for would be read together with those that were."""
    others = sorted(set(parts[0].parent.glob("*.parquet")) - set(parts))
    if others:
        raise DataError(
            f"{parts[0].parent}: expected nothing or parts of this backtest; got {others[0].name} "
            f"and {len(others) - 1} more of another. Give another folder, or remove this one"
        )
