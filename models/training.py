"""Training: from a table of past games to a bundle, split by season in order of time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from models.bundle import Bundle, Split
from models.calibration import Calibration
from models.conformal import ConformalInterval
from models.dejavu import Dejavu, DejavuSettings
from models.ensemble import Ensemble
from models.errors import DataError
from models.games import BoolArray, GameTable
from models.library import Library
from models.lstm import Device, load_lstm
from models.lstm_training import LstmTraining, Progress, train_lstm
from models.metrics import Scores, score
from models.pattern import HALF_MINUTES, PATTERN_MINUTES, FloatArray
from models.strength import RatingSettings, TeamStrength, expected_margins


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """How many of the last seasons are kept from the models, and how each part learns."""

    weight_seasons: int = 2
    calibration_seasons: int = 2
    ratings: RatingSettings = field(default_factory=RatingSettings)
    dejavu: DejavuSettings = field(default_factory=DejavuSettings)
    lstm: LstmTraining = field(default_factory=LstmTraining)


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
    hold_out: str | None = None,
    device: Device = "auto",
    progress: Progress = lambda _: None,
) -> Trained:
    """Train everything on the seasons up to `until`.

    Args:
        games: past games, later seasons allowed and ignored.
        until: the last season to use.
        plan: the splits and the settings of every part.
        hold_out: a date (YYYY-MM-DD) whose games are left out of everything.
        device: where the LSTM learns.
        progress: called once per epoch of the LSTM with what to show.

    Raises:
        DataError: too few seasons, or a date without games.
    """
    plan = plan or TrainingPlan()
    split = replace(split_seasons(games.seasons(), until, plan), hold_out=hold_out)
    games = games.select(games.season <= until)
    if hold_out is not None:
        games = games.without_date(hold_out)
    expected = expected_margins(games, plan.ratings)
    halves = games.margins[:, :HALF_MINUTES].astype(np.float64)
    patterns, actual = halves[:, :PATTERN_MINUTES], halves[:, -1]
    train, fitting, calibrating = (
        np.isin(games.season, seasons)
        for seasons in (split.train, split.weights, split.calibration)
    )

    dejavu = Dejavu(Library(games.select(train), expected[train]), plan.dejavu)
    network = train_lstm(
        halves[train], expected[train], plan.lstm, device=device, progress=progress
    )
    shape = asdict(plan.lstm.settings)
    lstm = load_lstm(network, shape, "cpu")

    by_dejavu = dejavu_margins(dejavu, patterns[fitting], expected[fitting])
    by_lstm = lstm.forecast(patterns[fitting], expected[fitting])
    ensemble = Ensemble.fit(by_dejavu, by_lstm, actual[fitting])

    present = patterns[calibrating, -1]
    by_dejavu = dejavu_margins(dejavu, patterns[calibrating], expected[calibrating])
    by_lstm = lstm.forecast(patterns[calibrating], expected[calibrating])
    combined = ensemble.combine(by_dejavu, by_lstm)
    bundle = Bundle(
        model_version="",
        split=split,
        library=dejavu.library,
        dejavu_settings=plan.dejavu,
        network=network,
        lstm_settings=shape,
        strength=TeamStrength.fit(games, plan.ratings),
        ensemble=ensemble,
        calibration=Calibration(
            dejavu=by_dejavu, lstm=by_lstm, present=present, actual=actual[calibrating]
        ),
    )
    return Trained(
        bundle=replace(bundle, model_version=bundle.content_version()),
        games={
            "train": int(train.sum()),
            "weights": int(fitting.sum()),
            "calibration": int(calibrating.sum()),
        },
        scores=_last_season_scores(
            {"persistence": present, "dejavu": by_dejavu, "lstm": by_lstm, "ensemble": combined},
            actual[calibrating],
            games.season[calibrating] == until,
        ),
    )


def dejavu_margins(dejavu: Dejavu, patterns: FloatArray, expected: FloatArray) -> FloatArray:
    """Dejavu's halftime margins (n,) alone, without naming similar games."""
    forecasts = dejavu.forecast(patterns, expected, similar=0)
    return np.asarray([forecast.halftime_margin for forecast in forecasts])


def _last_season_scores(
    points: dict[str, FloatArray], actual: FloatArray, last: BoolArray, alpha: float = 0.05
) -> dict[str, Scores]:
    """Scores of the last calibration season, intervals from the ones before it alone."""
    if last.all():
        return {}
    scores = {}
    for name, point in points.items():
        interval = ConformalInterval.fit(point[~last], actual[~last])
        half_width = interval.half_width(alpha)
        tested = point[last]
        scores[name] = score(tested, tested - half_width, tested + half_width, actual[last], alpha)
    return scores
