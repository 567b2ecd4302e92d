"""Scoring a chunk: the forecasts of its games beside all baselines, as the rows of one part."""

import numpy as np
import pyarrow as pa

from models.backtest.baselines import BASELINES, logistic
from models.backtest.brownian import BrownianMotion
from models.backtest.fold import Fold
from models.backtest.forecasts import Forecasts
from models.backtest.level_neighbours import (
    FIRST_MINUTE,
    level_neighbours,
    original,
    spread_forecasts,
)
from models.backtest.plan import Chunk
from models.backtest.rows import Cell, part_table
from models.backtest.sample import Sample
from models.game.games import GameTable
from models.game.pattern import FloatArray


def score_chunk(
    chunk: Chunk,
    fold: Fold,
    test: GameTable,
    earlier: GameTable,
    earlier_expected: FloatArray,
) -> pa.Table:
    """The rows of `test` (n,), the games of `fold`; baselines learn from `earlier` games alone.

    Samples are built from the games of earlier seasons and their expected margins (m,), in points.
    """
    motion = BrownianMotion.fit(earlier)
    cells = []
    for minute in chunk.minutes:
        known = Sample.of(earlier, earlier_expected, chunk.horizon, minute)
        asked = Sample.of(test, fold.walk.points.expected, chunk.horizon, minute)
        told = fold.walk.forecasts(chunk.horizon, minute)
        told |= {name: baseline(known, asked) for name, baseline in BASELINES.items()}
        told["brownian"] = motion.forecast(asked)
        if chunk.horizon == "final":
            told["logistic"] = logistic(known, asked)
        elif minute >= FIRST_MINUTE:
            told |= _first_published(known, asked, fold)
        cells.append(
            Cell(
                minute,
                asked.states.present.astype(np.int16),
                asked.actual.astype(np.int16),
                dict(sorted(told.items())),
            )
        )
    return part_table(test, chunk.horizon, cells)


def _first_published(known: Sample, asked: Sample, fold: Fold) -> dict[str, Forecasts]:
    """Level neighbours, and their 40/60 mix with the LSTM.

    Their spread is that of their errors on the last earlier season, by neighbours from the seasons
    before it.
    """
    minute = asked.states.minute
    last = known.recent(seasons=1)
    reference = known.rows(last)
    # One season alone can only be held against itself.
    before = known if last.all() else known.rows(~last)
    levels = level_neighbours(known, asked)
    reference_levels = level_neighbours(before, reference)
    lstm = fold.walk.forecasts("halftime", minute)["lstm"].point
    mixed = original(reference_levels, fold.reference_lstm[:, minute])
    return {
        "level_neighbours": spread_forecasts(levels, reference.actual - reference_levels, asked),
        "original": spread_forecasts(original(levels, lstm), reference.actual - mixed, asked),
    }
