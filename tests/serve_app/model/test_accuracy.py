from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.calibration.learned_game import LearnedGame
from models.game.horizon import cell_of
from models.metrics import score
from models.training.bundle import Bundle
from serve_app.model.accuracy import accuracy
from serve_app.schemas import Outcome, Prediction
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration
from tests.serve_app.small_bundles import DAY, small

MARGIN = 18.0  # at 6:00 in every game
ACTUALS = (3.0, 40.0, 12.0, 25.0)


@pytest.fixture(scope="module")
def cut(bundle: Bundle) -> Bundle:
    return small(bundle)


def play(store: Store, actuals: tuple[float, ...], *, late: bool = False) -> list[Prediction]:
    """Predictions of 16, 17, 18 and so on with their outcomes."""
    made = []
    for place, actual in enumerate(actuals):
        game_id = f"{'late' if late else 'game'}{place}"
        prediction = Prediction(
            **dict(forecast(point=16.0 + place)),
            game_id=game_id,
            pattern=[float(minute) for minute in range(1, 19)],
            made_at=datetime.now(UTC),
            quarter=2,
            time_remaining="6:00",
            minutes_carried_forward=0,
            made_after_halftime=late,
        )
        outcome = Outcome(
            halftime_margin=actual,
            error=actual - prediction.point_forecast,
            persistence_error=actual - MARGIN,
            covered=True,
            resolved_at=datetime.now(UTC),
        )
        with store.writing():
            store.games.add(registration(game_id))
            store.predictions.freeze(prediction)
            store.predictions.set_outcome(game_id, outcome)
        made.append(prediction)
    return made


def season(cut: Bundle, games: int = 600) -> list[LearnedGame]:
    """Learned games whose errors are drawn from the calibration's own scores."""
    random = np.random.default_rng(0)
    calibration = cut.calibration
    rows = random.integers(0, len(calibration.scores), games)
    errors = np.round(calibration.scores[rows] * calibration.spreads, 2)
    return [
        LearnedGame(
            game_id=f"g{number}",
            date=DAY + timedelta(days=number // 8),
            season=2024,
            playoffs=False,
            home="BOS",
            away="LAL",
            final_home=101,
            final_away=100,
            expected_margin=0.0,
            margins=(0,) * 48,
            last_score=(0,) * 48,
            dejavu_errors=tuple(row),
            lstm_errors=tuple(row),
        )
        for number, row in enumerate(errors.tolist())
    ]


def test_before_any_outcome_there_is_only_the_alarm(store: Store, cut: Bundle):
    found = accuracy(store, cut, cut.adaptation())
    assert (found.resolved, found.predicted) == (0, 0)
    assert found.ensemble is None
    assert found.persistence is None
    assert (found.drift_alarm.games, found.drift_alarm.raised) == (0, False)


def test_the_numbers_are_the_metrics_of_the_log(store: Store, cut: Bundle):
    made = play(store, ACTUALS)
    found = accuracy(store, cut, cut.adaptation())
    assert (found.resolved, found.predicted) == (4, 4)
    assert found.coverage_target == pytest.approx(0.95)
    expected = score(
        [one.point_forecast for one in made],
        [one.interval_lower for one in made],
        [one.interval_upper for one in made],
        ACTUALS,
        0.05,
    )
    assert found.ensemble is not None
    for name, value in found.ensemble.model_dump().items():
        assert value == pytest.approx(getattr(expected, name)), name
    assert expected.coverage == 0.5


def test_persistence_has_the_interval_that_its_own_errors_ask_for(store: Store, cut: Bundle):
    play(store, ACTUALS)
    found = accuracy(store, cut, cut.adaptation())
    cell = cell_of("halftime", 18)
    calibration = cut.persistence
    low, high = (
        MARGIN + calibration.spreads[cell] * calibration.shape(cell).quantile(level)
        for level in (0.025, 0.975)
    )
    assert found.persistence is not None
    assert found.persistence.mae == pytest.approx(np.mean(np.abs(np.subtract(ACTUALS, MARGIN))))
    assert found.persistence.width == pytest.approx(high - low)
    assert found.persistence.coverage == sum(low <= one <= high for one in ACTUALS) / 4


def test_what_was_predicted_after_halftime_does_not_count(store: Store, cut: Bundle):
    play(store, ACTUALS)
    before = accuracy(store, cut, cut.adaptation())
    play(store, (90.0,), late=True)
    after = accuracy(store, cut, cut.adaptation())
    assert after.predicted == before.predicted + 1
    assert after == before.model_copy(update={"predicted": after.predicted})


def test_the_alarm_is_raised_by_errors_wider_than_the_calibration(store: Store, cut: Bundle):
    calm = cut.adaptation()
    calm.learn(season(cut))
    found = accuracy(store, cut, calm).drift_alarm
    assert (found.games, found.raised) == (600, False)
    # Each day's errors are wider than those before it: the calibration comes too late.
    wide = cut.adaptation()
    wide.learn(widened(game, 1.05 ** (game.date - DAY).days) for game in season(cut))
    drifting = accuracy(store, cut, wide).drift_alarm
    assert drifting.raised
    assert drifting.highest >= drifting.spread > 100


def widened(game: LearnedGame, factor: float) -> LearnedGame:
    assert game.dejavu_errors is not None
    errors = tuple(factor * error for error in game.dejavu_errors)
    return replace(game, dejavu_errors=errors, lstm_errors=errors)
