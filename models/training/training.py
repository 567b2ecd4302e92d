"""Training: from a table of past games to a bundle, split by season in order of time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from models.calibration.calibration import Calibration, CalibrationSettings
from models.calibration.error_log import ErrorLog
from models.calibration.learning import game_errors, no_increments
from models.errors import DataError
from models.forecasters.dejavu import Dejavu, DejavuSettings
from models.forecasters.device import Device
from models.forecasters.drift import Drift
from models.forecasters.ensemble import Ensemble
from models.forecasters.library import Library
from models.forecasters.lstm import load_lstm
from models.forecasters.lstm_training import LstmTraining, Progress, train_lstm
from models.game.games import BoolArray, GameTable
from models.game.horizon import cell_of
from models.game.pattern import PATTERN_MINUTES, FloatArray
from models.metrics import Scores, score
from models.ratings.rating_settings import RatingSettings
from models.ratings.strength import walk_forward
from models.training.bundle import Bundle, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """How many of the last seasons are kept from the models, and how each part learns.

    Dejavu searches the newest `library_seasons` of the seasons that the models may see.
    """

    weight_seasons: int = 1
    calibration_seasons: int = 3
    library_seasons: int = 6
    ratings: RatingSettings = field(default_factory=RatingSettings)
    dejavu: DejavuSettings = field(default_factory=DejavuSettings)
    lstm: LstmTraining = field(default_factory=LstmTraining)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)


@dataclass(frozen=True, slots=True)
class Trained:
    """A bundle, and how its parts did on seasons that they had not seen.

    `games` counts the games of each part of the split. `scores` are of the last season, by name of
    the forecast, with 95 % intervals calibrated on the other calibration seasons; there are none
    where only one season calibrates.
    """

    bundle: Bundle
    games: dict[str, int]
    scores: dict[str, Scores]


def split_seasons(seasons: Sequence[int], until: int, plan: TrainingPlan) -> Split:
    """Train on the early seasons, fit the weights on the next, calibrate on the last ones.

    Raises DataError where `until` is not among the seasons or too few come before it.
    """
    present = sorted(season for season in seasons if season <= until)
    kept = plan.weight_seasons + plan.calibration_seasons
    if until not in present:
        raise DataError(f"until: expected one of the seasons {sorted(seasons)}; got {until}")
    if len(present) <= kept:
        raise DataError(
            f"until: expected at least {kept + 1} seasons up to {until}; got {len(present)}"
        )
    calibration = len(present) - plan.calibration_seasons
    weights = calibration - plan.weight_seasons
    return Split(
        train=tuple(present[:weights]),
        weights=tuple(present[weights:calibration]),
        calibration=tuple(present[calibration:]),
    )


def train_bundle(
    games: GameTable,
    until: int,
    *,
    plan: TrainingPlan | None = None,
    before: str | None = None,
    device: Device = "auto",
    progress: Progress = lambda _: None,
) -> Trained:
    """Train everything on the seasons up to `until`.

    Args:
        games: past games, later seasons allowed and ignored.
        until: the last season to use.
        plan: the splits and the settings of every part.
        before: a day (YYYY-MM-DD); games of that day and later are left out of everything.
        device: where the LSTM learns.
        progress: called once per epoch of the LSTM with what to show.

    Raises:
        DataError: too few seasons, or a day with no games on it or after.
    """
    plan = plan or TrainingPlan()
    games = games.select(games.season <= until)
    if before is not None:
        games = games.before(before)
    split = replace(split_seasons(games.seasons(), until, plan), before=before)
    walk = walk_forward(games, plan.ratings)
    expected = walk.margins
    train, fitting, calibrating = (
        np.isin(games.season, seasons)
        for seasons in (split.train, split.weights, split.calibration)
    )
    searched = np.isin(games.season, split.train[-plan.library_seasons :])

    drift = Drift.fit(games.select(train), expected[train])
    library = Library(games.select(searched), expected[searched])
    dejavu = Dejavu(library, drift, plan.dejavu)
    network = train_lstm(
        games.select(train), expected[train], drift, plan.lstm, device=device, progress=progress
    )
    shape = asdict(plan.lstm.settings)
    lstm = load_lstm(network, shape, drift, "cpu")

    unseen = fitting | calibrating
    rested = games.select(unseen)
    errors = ErrorLog(
        date=rested.date,
        dejavu=game_errors(dejavu.increments, rested, expected[unseen]),
        lstm=game_errors(lstm.over_courses(rested, expected[unseen]), rested, expected[unseen]),
        persistence=game_errors(no_increments, rested, expected[unseen]),
    )
    first = fitting[unseen]
    ensemble = Ensemble.fit(errors.dejavu[first], errors.lstm[first])
    kept = errors.rows(~first)
    bundle = Bundle(
        model_version="",
        split=split,
        library=library,
        drift=drift,
        dejavu_settings=plan.dejavu,
        network=network,
        lstm_settings=shape,
        strength=walk.strength,
        ensemble=ensemble,
        errors=kept,
        calibration_settings=plan.calibration,
    )
    return Trained(
        bundle=replace(bundle, model_version=bundle.content_version()),
        games={
            "train": int(train.sum()),
            "weights": int(fitting.sum()),
            "calibration": int(calibrating.sum()),
        },
        scores=_last_season_scores(
            {
                "persistence": kept.persistence,
                "dejavu": kept.dejavu,
                "lstm": kept.lstm,
                "ensemble": kept.of(ensemble),
            },
            kept.date,
            games.season[calibrating] == until,
            plan.calibration,
        ),
    )


def _last_season_scores(
    errors: dict[str, FloatArray],
    dates: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    last: BoolArray,
    settings: CalibrationSettings,
    alpha: float = 0.05,
) -> dict[str, Scores]:
    """Scores at 6:00 of Q2 in the last calibration season, calibrated on the ones before alone."""
    if last.all():
        return {}
    cell = cell_of("halftime", PATTERN_MINUTES)
    scores = {}
    for name, table in errors.items():
        calibration = Calibration.fit(table[~last], dates[~last], settings)
        spread, shape = calibration.spreads[cell], calibration.shapes[cell]
        actual = table[last, cell]
        lower, upper = (
            np.full(len(actual), spread * shape.quantile(level))
            for level in (alpha / 2.0, 1.0 - alpha / 2.0)
        )
        scores[name] = score(np.zeros(len(actual)), lower, upper, actual, alpha)
    return scores
