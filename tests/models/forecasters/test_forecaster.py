import datetime
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calibration.distribution import QUANTILE_LEVELS
from models.errors import AlphaError, PatternError
from models.forecasters.forecaster import Forecaster, ForecastRequest, MarginForecast
from models.forecasters.live_models import ask_dejavu, ask_lstm
from models.game.game_state import GameState
from models.game.horizon import HORIZONS, Horizon
from models.training.bundle import Bundle
from models.training.training import Trained
from tests.models.calibration.test_learned_game import learned
from tests.models.conftest import live_states, random_states

AFTER = datetime.date(2015, 1, 10)  # past the seasons of the bundle


def some_requests() -> list[ForecastRequest]:
    requests = []
    for minute in (0, 1, 9, 18, 23, 30, 47):
        for row, state in enumerate(live_states(random_states(minute, 8))):
            late = replace(state, elapsed_seconds=state.elapsed_seconds + 7.0 * (row % 3))
            requests.append(
                ForecastRequest(
                    state=late,
                    horizon=HORIZONS[row % 2] if minute < 24 else "final",
                    alpha=0.01 + row / 10,
                    home_team="BOS" if row % 2 else "CHI",
                    away_team=None if row % 5 == 0 else "MIA",
                    expected_margin=row / 7 - 3 if row % 3 == 0 else None,
                    date=AFTER if row % 4 == 1 else None,
                    playoffs=row == 5,
                )
            )
    return requests


REQUESTS = some_requests()


@pytest.fixture(scope="module")
def forecaster(trained: Trained) -> Forecaster:
    return trained.bundle.load_forecaster("cpu")


@pytest.fixture(scope="module")
def alone(forecaster: Forecaster) -> list[MarginForecast]:
    return [forecaster.forecast([request])[0] for request in REQUESTS]


def test_the_forecast_is_made_of_its_parts(trained: Trained, alone: list[MarginForecast]) -> None:
    bundle = trained.bundle
    dejavu, lstm = bundle.load_dejavu(), bundle.load_lstm("cpu")
    for request, forecast in zip(REQUESTS, alone, strict=True):
        place = HORIZONS.index(request.horizon)
        state, expected = [request.state], [forecast.expected_margin]
        (analogy,) = ask_dejavu(dejavu, state, expected, [None], [10])
        recurrent = ask_lstm(lstm, state, expected)[0]
        assert forecast.dejavu_prediction == analogy.margins[place]
        assert forecast.lstm_prediction == recurrent[place]
        assert forecast.similar_games == analogy.similar_games
        assert len(forecast.similar_games) == 10
        weights = forecast.dejavu_weight, forecast.lstm_weight
        assert weights == (bundle.ensemble.dejavu_weight, bundle.ensemble.lstm_weight)
        assert forecast.point_forecast == bundle.ensemble.combine(
            forecast.dejavu_prediction, forecast.lstm_prediction
        )


def test_all_that_is_said_of_chance_is_one_distribution(
    trained: Trained, alone: list[MarginForecast]
) -> None:
    bundle = trained.bundle
    for request, forecast in zip(REQUESTS, alone, strict=True):
        distribution = forecast.distribution
        plain = bundle.calibration.distribution(
            request.horizon, request.state, forecast.point_forecast
        )
        if forecast.strength in ("ratings", "caller"):
            assert distribution == plain
        else:
            assert distribution.spread >= plain.spread
            assert distribution.shape == plain.shape
        interval = forecast.interval_lower, forecast.interval_upper
        assert forecast.horizon == forecast.distribution.horizon == request.horizon
        assert interval == distribution.interval(request.alpha)
        assert forecast.coverage_probability == 1 - request.alpha
        assert forecast.quantiles == distribution.quantiles()
        assert len(forecast.quantiles) == len(QUANTILE_LEVELS)
        assert forecast.quantiles == tuple(sorted(forecast.quantiles))
        assert forecast.win_probability == distribution.win_probability
        assert (forecast.win_probability is None) is (request.horizon == "halftime")
        assert forecast.model_version == bundle.model_version
        assert forecast.calibration_version == f"{bundle.model_version}+0"


def test_the_callers_expected_margin_comes_before_the_ratings(forecaster: Forecaster) -> None:
    state = GameState.of_pattern([0.0] * 6)
    level, by_caller, rated, unknown, half_unknown, nothing, half = forecaster.forecast(
        [
            ForecastRequest(state=state, home_team="MIA", away_team="ATL", expected_margin=0.0),
            ForecastRequest(state=state, home_team="MIA", away_team="ATL", expected_margin=-4.5),
            ForecastRequest(state=state, home_team="MIA", away_team="ATL"),
            ForecastRequest(state=state, home_team="MIA", away_team="Real Madrid"),
            ForecastRequest(state=state, home_team="Real Madrid"),
            ForecastRequest(state=state),
            ForecastRequest(state=state, home_team="MIA"),
        ]
    )
    assert (by_caller.expected_margin, by_caller.strength) == (-4.5, "caller")
    assert by_caller.expected_margin_sd is None
    assert (level.expected_margin, level.strength) == (0.0, "caller")
    assert rated.strength == "ratings"
    assert rated.expected_margin > 5
    assert unknown.strength == half_unknown.strength == "unknown_team"
    assert nothing.strength == half.strength == "home_advantage"
    assert unknown.expected_margin == half.expected_margin == nothing.expected_margin
    home_advantage = forecaster.adaptation.before(None).strength.home_advantage
    assert nothing.expected_margin == home_advantage
    assert rated.expected_margin_sd is not None
    assert unknown.expected_margin_sd is not None
    assert 0 < rated.expected_margin_sd < unknown.expected_margin_sd
    assert by_caller.point_forecast < nothing.point_forecast < rated.point_forecast


def test_the_date_and_the_playoffs_reach_the_ratings(forecaster: Forecaster) -> None:
    strength = forecaster.adaptation.before(None).strength
    state = GameState.of_pattern([0.0] * 6)
    for date in (None, AFTER, AFTER + datetime.timedelta(days=200)):
        for playoffs in (False, True):
            forecast = forecaster.forecast(
                [
                    ForecastRequest(
                        state=state,
                        home_team="BOS",
                        away_team="MIA",
                        date=date,
                        playoffs=playoffs,
                    )
                ]
            )[0]
            rated = strength.expected_margin("BOS", "MIA", date, playoffs=playoffs)
            assert forecast.expected_margin == rated.margin
            assert forecast.expected_margin_sd == rated.sd


def test_a_season_that_the_ratings_do_not_know_gets_the_home_advantage_alone(
    forecaster: Forecaster,
) -> None:
    strength = forecaster.adaptation.before(None).strength
    assert strength.day is not None
    state = GameState.of_pattern([0.0] * 6)
    years = datetime.timedelta(days=400)
    # The ratings know the result of their last day, and those of all days before it.
    for date in (strength.day - years, strength.day, AFTER + years):
        told, plain = forecaster.forecast(
            [
                ForecastRequest(state=state, home_team="BOS", away_team="MIA", date=date),
                ForecastRequest(state=state, expected_margin=strength.home_advantage),
            ]
        )
        assert told.strength == "unknown_season"
        assert told.expected_margin == pytest.approx(strength.home_advantage)
        # Nothing is known of the teams, so the interval is wider than that of a known game.
        assert told.distribution.spread > plain.distribution.spread


def test_a_game_is_forecast_with_what_earlier_days_taught(trained: Trained) -> None:
    adaptation = trained.bundle.adaptation()
    forecaster = trained.bundle.load_forecaster("cpu", adaptation)
    state = GameState.of_pattern([2.0] * 18)
    today = ForecastRequest(state=state, home_team="BOS", away_team="MIA", date=AFTER)
    tomorrow = replace(today, date=AFTER + datetime.timedelta(days=1))
    newest = replace(today, date=None)
    before = forecaster.forecast([today])[0]
    adaptation.learn([learned("g1", AFTER, final_home=160, season=2014)])
    same, later, last = forecaster.forecast([today, tomorrow, newest])
    assert same == before
    for moved in (later, last):
        assert moved.calibration_version == f"{trained.bundle.model_version}+1"
        assert moved.model_version == before.model_version
        assert moved.expected_margin > before.expected_margin
        assert moved.point_forecast > before.point_forecast
        width, old = (one.interval_upper - one.interval_lower for one in (moved, before))
        assert width != old


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_large_lead_late_is_as_good_as_won(forecaster: Forecaster, sign: int) -> None:
    state = GameState.of_pattern([30.0 * sign] * 47)
    (forecast,) = forecaster.forecast([ForecastRequest(state=state, horizon="final")])
    assert forecast.win_probability == pytest.approx(float(sign > 0), abs=1e-3)
    over = GameState.of_pattern([1.0 * sign] * 48)
    (certain,) = forecaster.forecast([ForecastRequest(state=over, horizon="final")])
    assert certain.win_probability == float(sign > 0)
    assert (certain.interval_lower, certain.interval_upper) == (sign, sign)


def test_the_win_probability_follows_the_lead_and_the_clock(forecaster: Forecaster) -> None:
    def win(margin: float, minutes: int) -> float:
        state = GameState.of_pattern([margin] * minutes)
        (forecast,) = forecaster.forecast(
            [ForecastRequest(state=state, horizon="final", expected_margin=0.0)]
        )
        assert forecast.win_probability is not None
        return forecast.win_probability

    by_lead = [win(margin, 36) for margin in (-20.0, -8.0, 8.0, 20.0)]
    assert by_lead == sorted(by_lead)
    assert win(8.0, 6) < win(8.0, 24) < win(8.0, 45)


@settings(max_examples=10, deadline=None)
@given(rows=st.permutations(range(len(REQUESTS))), size=st.integers(1, len(REQUESTS)))
def test_alone_and_in_any_batch_the_answer_is_the_same_to_the_bit(
    forecaster: Forecaster, alone: list[MarginForecast], rows: list[int], size: int
) -> None:
    chosen = rows[:size]
    assert forecaster.forecast([REQUESTS[row] for row in chosen]) == [alone[row] for row in chosen]


def test_its_own_game_is_left_out(trained: Trained, forecaster: Forecaster) -> None:
    games = trained.bundle.library.games
    state = GameState.of_pattern(games.margins[4, :18].tolist(), int(games.last_score[4, 17]))
    expected = float(trained.bundle.library.expected_margins[4])
    request = ForecastRequest(state=state, expected_margin=expected)
    own = str(games.game_id[4])
    shown, hidden = forecaster.forecast([request, replace(request, exclude_game_id=own)])
    assert shown.similar_games[0].game_id == own
    assert own not in {game.game_id for game in hidden.similar_games}


@pytest.mark.parametrize("similar", [0, 4])
def test_as_many_similar_games_as_asked(forecaster: Forecaster, similar: int) -> None:
    (forecast,) = forecaster.forecast(REQUESTS[:1], similar=similar)
    assert len(forecast.similar_games) == similar


_FORECAST_ELSEWHERE = """
import sys
from models.training.bundle import Bundle
from models.forecasters.forecaster import ForecastRequest
from models.game.game_state import GameState
forecaster = Bundle.load(sys.argv[1]).load_forecaster("cpu")
state = GameState.of_pattern([float(margin) for margin in range(18)], 2)
request = ForecastRequest(state=state, home_team="BOS", away_team="DEN", horizon="final")
for size in (1, 7, 64):
    print(forecaster.forecast([request] * size)[-1])
"""


def test_another_process_with_other_threads_gives_the_same_bits(
    trained: Trained, forecaster: Forecaster, tmp_path: Path
) -> None:
    trained.bundle.save(tmp_path, "# card\n")
    elsewhere = subprocess.run(
        [sys.executable, "-c", _FORECAST_ELSEWHERE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    ).stdout
    state = GameState.of_pattern([float(margin) for margin in range(18)], 2)
    request = ForecastRequest(state=state, home_team="BOS", away_team="DEN", horizon="final")
    (here,) = forecaster.forecast([request])
    assert elsewhere == f"{here}\n" * 3


@pytest.mark.parametrize("minutes", [24, 30, 48])
def test_past_halftime_there_is_no_halftime_forecast(minutes: int) -> None:
    state = GameState.of_pattern([1.0] * minutes)
    with pytest.raises(PatternError, match=f"fewer than 24 minutes played; got {minutes}"):
        ForecastRequest(state=state, horizon="halftime")
    assert ForecastRequest(state=state, horizon="final").state is state


@pytest.mark.parametrize("expected", [float("nan"), float("inf"), -100.5])
def test_an_impossible_expected_margin_is_refused(expected: float) -> None:
    with pytest.raises(PatternError, match="expected margin: expected a number from -100 to 100"):
        ForecastRequest(state=GameState.of_pattern([0.0]), expected_margin=expected)


@pytest.mark.parametrize("alpha", [0.0, 1.0, float("nan")])
def test_an_impossible_alpha_is_refused(forecaster: Forecaster, alpha: float) -> None:
    with pytest.raises(AlphaError, match="alpha: expected a number between 0 and 1"):
        forecaster.forecast([ForecastRequest(state=GameState.of_pattern([0.0]), alpha=alpha)])


def test_no_requests_no_forecasts(forecaster: Forecaster) -> None:
    assert forecaster.forecast([]) == []


@pytest.mark.parametrize("margin", [-100.0, 100.0])
@pytest.mark.parametrize("expected", [-100.0, 100.0])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_extreme_input_has_a_finite_forecast(
    forecaster: Forecaster, margin: float, expected: float, horizon: Horizon
) -> None:
    (forecast,) = forecaster.forecast(
        [
            ForecastRequest(
                state=GameState.of_pattern([margin] * 18),
                horizon=horizon,
                expected_margin=expected,
                alpha=1e-12,
            )
        ]
    )
    numbers = [forecast.point_forecast, forecast.interval_lower, forecast.interval_upper]
    assert np.isfinite(numbers).all()


def test_the_shipped_forecaster_rates_the_teams_it_knows(shipped: Bundle) -> None:
    state = GameState.of_pattern([0.0] * 18)
    strong, weak = shipped.load_forecaster("cpu").forecast(
        [
            ForecastRequest(state=state, home_team=home, away_team=away)
            for home, away in (("BOS", "DET"), ("DET", "BOS"))
        ]
    )
    assert strong.strength == weak.strength == "ratings"
    assert strong.expected_margin > 5 > weak.expected_margin
    assert strong.point_forecast > weak.point_forecast
    assert 18 < strong.interval_upper - strong.interval_lower < 30
