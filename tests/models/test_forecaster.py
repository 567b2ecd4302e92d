import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.errors import AlphaError, PatternError
from models.forecaster import Forecaster, ForecastRequest, MarginForecast

from .conftest import SHIPPED_BUNDLE

PATTERNS = np.random.default_rng(1).integers(-4, 5, (64, 18)).cumsum(axis=1)
REQUESTS = [
    ForecastRequest(
        pattern=pattern.tolist(),
        alpha=0.01 + row / 70,
        home_team="BOS" if row % 2 else "GSW",
        away_team=None if row % 5 == 0 else "MIA",
        expected_margin=row / 7 - 3 if row % 3 == 0 else None,
    )
    for row, pattern in enumerate(PATTERNS)
]


@pytest.fixture(scope="module")
def forecaster(shipped: Bundle) -> Forecaster:
    return shipped.load_forecaster("cpu")


@pytest.fixture(scope="module")
def alone(forecaster: Forecaster) -> list[MarginForecast]:
    return [forecaster.forecast([request])[0] for request in REQUESTS]


def test_the_forecast_is_made_of_its_parts(shipped: Bundle, alone: list[MarginForecast]) -> None:
    for request, forecast in zip(REQUESTS, alone, strict=True):
        ensemble, conformal = shipped.ensemble, shipped.conformal
        point = ensemble.combine(forecast.dejavu_prediction, forecast.lstm_prediction)
        assert forecast.point_forecast == point
        assert (forecast.interval_lower, forecast.interval_upper) == conformal.interval(
            point, request.alpha
        )
        assert forecast.coverage_probability == 1 - request.alpha
        assert (forecast.dejavu_weight, forecast.lstm_weight) == (
            ensemble.dejavu_weight,
            ensemble.lstm_weight,
        )
        assert len(forecast.similar_games) == 10
        assert forecast.model_version == shipped.model_version


def test_the_callers_expected_margin_comes_before_the_ratings(forecaster: Forecaster) -> None:
    pattern = PATTERNS[0].tolist()
    given_margin, rated, unknown, nothing = forecaster.forecast(
        [
            ForecastRequest(
                pattern=pattern, home_team="BOS", away_team="DET", expected_margin=-4.5
            ),
            ForecastRequest(pattern=pattern, home_team="BOS", away_team="DET"),
            ForecastRequest(pattern=pattern, home_team="BOS", away_team="Real Madrid"),
            ForecastRequest(pattern=pattern),
        ]
    )
    assert (given_margin.expected_margin, given_margin.strength) == (-4.5, "caller")
    assert rated.strength == "ratings"
    assert rated.expected_margin > 5
    assert unknown.strength == "unknown_team"
    assert nothing.strength == "home_advantage"
    assert unknown.expected_margin == nothing.expected_margin
    assert unknown.expected_margin == forecaster.strength.home_advantage
    assert given_margin.point_forecast < nothing.point_forecast < rated.point_forecast


def test_the_parts_apart_give_the_same_bits(shipped: Bundle, alone: list[MarginForecast]) -> None:
    combiner, dejavu, lstm = shipped.combiner, shipped.load_dejavu(), shipped.load_lstm("cpu")
    expected = [
        combiner.expected_margin(request.expected_margin, request.home_team, request.away_team)
        for request in REQUESTS
    ]
    analogies = dejavu.forecast(PATTERNS, [margin for margin, _ in expected])
    recurrent = lstm.forecast(PATTERNS, [margin for margin, _ in expected])
    assert alone == [
        combiner.combine(request.pattern, request.alpha, *source, analogy, float(margin))
        for request, source, analogy, margin in zip(
            REQUESTS, expected, analogies, recurrent, strict=True
        )
    ]


@settings(max_examples=10, deadline=None)
@given(rows=st.permutations(range(64)), size=st.integers(1, 64))
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    forecaster: Forecaster, alone: list[MarginForecast], rows: list[int], size: int
) -> None:
    chosen = rows[:size]
    assert forecaster.forecast([REQUESTS[row] for row in chosen]) == [alone[row] for row in chosen]


_FORECAST_ELSEWHERE = """
import sys
from models.bundle import Bundle
from models.forecaster import ForecastRequest
forecaster = Bundle.load(sys.argv[1]).load_forecaster("cpu")
pattern = [0, 2, 1, 4, 6, 3, 3, 5, 8, 6, 7, 9, 12, 10, 9, 11, 8, 7]
request = ForecastRequest(pattern=pattern, home_team="BOS", away_team="DET")
answers = {repr(forecaster.forecast([request] * size)[-1]) for size in (1, 7, 64)}
print(*answers, sep="\\n")
"""


def test_another_process_with_other_threads_gives_the_same_bits() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", _FORECAST_ELSEWHERE, str(SHIPPED_BUNDLE)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env=os.environ | {"OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    }
    assert len(answers) == 1
    assert len(answers.pop().splitlines()) == 1


def test_what_cannot_be_forecast_says_why(
    forecaster: Forecaster, alone: list[MarginForecast]
) -> None:
    with pytest.raises(PatternError, match="17"):
        forecaster.forecast([ForecastRequest(pattern=[0.0] * 17)])
    with pytest.raises(AlphaError):
        forecaster.forecast([ForecastRequest(pattern=[0.0] * 18, alpha=1.0)])
    with pytest.raises(PatternError, match="expected margins"):
        forecaster.forecast([ForecastRequest(pattern=[0.0] * 18, expected_margin=float("nan"))])
    assert forecaster.forecast([]) == []


@pytest.mark.parametrize("margin", [-100.0, 100.0])
@pytest.mark.parametrize("expected", [-60.0, 60.0])
def test_extreme_input_has_a_finite_forecast_near_the_margin(
    forecaster: Forecaster, margin: float, expected: float
) -> None:
    forecast = forecaster.forecast(
        [ForecastRequest(pattern=[margin] * 18, expected_margin=expected, alpha=1e-12)]
    )[0]
    assert abs(forecast.point_forecast - margin) < 25
    assert np.isfinite([forecast.interval_lower, forecast.interval_upper]).all()
