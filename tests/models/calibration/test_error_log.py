import numpy as np
import pytest

from models.calibration.calibration import CalibrationSettings
from models.calibration.error_log import ErrorLog
from models.errors import DataError
from models.forecasters.ensemble import Ensemble
from models.game.horizon import CELLS

GAMES = 60


@pytest.fixture
def log() -> ErrorLog:
    random = np.random.default_rng(0)
    errors = {
        name: np.round(random.normal(0, 12, (GAMES, len(CELLS))), 2)
        for name in ("dejavu", "lstm", "persistence")
    }
    return ErrorLog(date=np.datetime64("2023-11-01") + np.arange(GAMES) // 4, **errors)


def test_a_table_gives_the_log_back_to_the_bit(log: ErrorLog) -> None:
    again = ErrorLog.from_table(log.to_table())
    assert len(again) == GAMES
    assert (again.date == log.date).all()
    assert again.date.dtype == log.date.dtype
    for name in ("dejavu", "lstm", "persistence"):
        one, other = getattr(log, name), getattr(again, name)
        assert (one == other).all()
        assert one.dtype == other.dtype


def test_the_widest_errors_fit(log: ErrorLog) -> None:
    log.dejavu[0, 0], log.lstm[0, 0] = 200.01, -200.01
    again = ErrorLog.from_table(log.to_table())
    assert (again.dejavu[0, 0], again.lstm[0, 0]) == (200.01, -200.01)


def test_each_set_of_weights_has_a_calibration_of_its_own(log: ErrorLog) -> None:
    settings = CalibrationSettings(warm_up=20)
    ensemble = Ensemble(0.25, 0.75)
    errors = log.of(ensemble)
    assert errors == pytest.approx(0.25 * log.dejavu + 0.75 * log.lstm)
    calibration = log.calibration(ensemble, settings)
    assert calibration.settings == settings
    assert len(calibration.scores) == GAMES - 20
    other = log.calibration(Ensemble(1.0, 0.0), settings)
    # Two independent errors average out.
    assert calibration.spreads.mean() < 0.9 * other.spreads.mean()
    persistence = log.persistence_calibration(settings)
    assert persistence.spreads == pytest.approx(
        np.sqrt(
            np.average(
                log.persistence**2,
                axis=0,
                weights=0.5 ** (np.arange(GAMES - 1, -1, -1) / settings.spread_half_life),
            )
        )
    )


def test_rows_are_chosen_in_all_parts(log: ErrorLog) -> None:
    chosen = log.date >= log.date[40]
    rows = log.rows(chosen)
    assert len(rows) == 20
    assert (rows.lstm == log.lstm[40:]).all()
    assert (rows.persistence == log.persistence[40:]).all()


def test_arrays_of_another_shape_are_refused(log: ErrorLog) -> None:
    with pytest.raises(DataError, match=r"expected arrays of shape \(60, 72\); got .*\(59, 72\)"):
        ErrorLog(date=log.date, dejavu=log.dejavu, lstm=log.lstm[1:], persistence=log.persistence)
