"""Updating a bundle with finished games: a larger library, newer ratings, newer calibration."""

import datetime
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from models.calibration.error_log import ErrorLog
from models.calibration.learned_game import LearnedGame, as_table
from models.errors import DataError
from models.forecasters.library import Library
from models.game.games import GameTable
from models.training.bundle import Bundle


def update_bundle(bundle: Bundle, games: Sequence[LearnedGame]) -> Bundle:
    """The bundle with these learned games in its library, its ratings and its calibration.

    Drift, network and ensemble weights stay as they are: their errors on these games are what the
    calibration learns, so that they must not have seen them. Raises DataError where there are no
    games whose course is known, or some that the bundle has seen already.
    """
    ordered = sorted(games, key=lambda game: (game.date, game.game_id))
    courses = [game for game in ordered if game.has_course]
    if not courses:
        raise DataError("update: expected at least one finished game with its course; got none")
    _refuse_seen(bundle, ordered)
    expected = np.asarray([game.expected_margin for game in courses])
    split = replace(
        bundle.split,
        calibration=tuple(sorted({*bundle.split.calibration, *(g.season for g in courses)})),
        before=(ordered[-1].date + datetime.timedelta(days=1)).isoformat(),
    )
    updated = replace(
        bundle,
        split=split,
        library=Library(
            _joined(bundle.library.games, as_table(courses)),
            np.concatenate((bundle.library.expected_margins, expected)),
        ),
        strength=bundle.strength.after([game.finished() for game in ordered], newcomers=True),
        errors=_with_errors(bundle.errors, courses, bundle.calibration_settings.window),
    )
    return replace(updated, model_version=updated.content_version())


def _refuse_seen(bundle: Bundle, games: Sequence[LearnedGame]) -> None:
    last = bundle.strength.day
    seen = [game.game_id for game in games if last is not None and game.date <= last]
    if seen:
        raise DataError(
            f"update: expected games after {last}, the last day that {bundle.model_version} has "
            f"seen; got {len(seen)} of earlier days, such as {seen[0]}"
        )


def _joined(earlier: GameTable, later: GameTable) -> GameTable:
    columns = (column.name for column in fields(GameTable))
    return GameTable(
        *(np.concatenate((getattr(earlier, name), getattr(later, name))) for name in columns)
    )


def _with_errors(log: ErrorLog, games: Sequence[LearnedGame], window: int) -> ErrorLog:
    """The log with these games behind it, cut to the newest `window` games and what warms it up."""
    added = ErrorLog.of_games(games)
    joined = ErrorLog(
        date=np.concatenate((log.date, added.date)),
        dejavu=np.concatenate((log.dejavu, added.dejavu)),
        lstm=np.concatenate((log.lstm, added.lstm)),
        persistence=np.concatenate((log.persistence, added.persistence)),
    )
    first = max(0, len(joined) - 2 * window)
    return joined.rows(np.arange(len(joined)) >= first)
