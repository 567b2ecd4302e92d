import numpy as np
import pytest

from models.backtest.forecasts import Forecasts
from models.backtest.goals import deviations, goals, relative
from models.backtest.rows import Cell
from models.backtest.tally import ALL, MODEL, PERSISTENCE, RECENT, Moments, Tally, measures

COUNT = 400


def cell(seed: int, minute: int = 18, horizon: str = "halftime", bias: float = 0.0) -> Cell:
    random = np.random.default_rng(seed)
    margin = random.integers(-20, 21, COUNT).astype(np.int16)
    actual = margin + np.round(random.normal(1.0, 6.0, COUNT)).astype(np.int16)
    final = horizon == "final"
    told = {
        MODEL: margin + 1.0 + bias,
        PERSISTENCE: margin.astype(float),
        "ridge": margin + 3.0,
        "logistic": margin + 2.0,
    }
    return Cell(
        minute,
        margin,
        actual,
        {
            name: Forecasts.gaussian(point, 6.0, actual.astype(float), final=final)
            for name, point in told.items()
        },
    )


@pytest.fixture
def tally() -> Tally:
    tally = Tally()
    for season in (2020, 2021, 2022):
        tally.add(season, "halftime", cell(season))
        tally.add(season, "final", cell(season + 50, 36, "final"))
    return tally


def test_moments_add_up_to_those_of_all_values() -> None:
    values = np.random.default_rng(0).normal(2, 3, 90)
    pooled = Moments.of(values[:30]) + Moments.of(values[30:])
    assert pooled.mean == pytest.approx(values.mean())
    assert pooled.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(90))
    assert np.isnan(Moments().mean)
    assert np.isnan(Moments.of(values[:1]).standard_error)


def test_measures_are_what_the_books_say() -> None:
    one = cell(1, 36, "final")
    told = one.forecasts[MODEL]
    found = measures(one, told)
    low, high = told.quantiles[:, 1], told.quantiles[:, 7]
    game = int(np.argmax(one.actual - high))  # one that was missed above
    assert found["is90"][game] == pytest.approx(
        high[game] - low[game] + 2 / 0.1 * (one.actual[game] - high[game])
    )
    assert found["cover90"][game] == 0
    assert found["ae"] == pytest.approx(np.abs(one.actual - told.point))
    assert found["brier"] == pytest.approx((told.win_probability - (one.actual > 0)) ** 2)
    assert "brier" not in measures(cell(1), cell(1).forecasts[MODEL])
    assert set(measures(one, Forecasts.of_points(told.point))) == {"ae"}


def test_differences_are_paired_by_game(tally: Tally) -> None:
    one = cell(2021)
    loss = {name: measures(one, told)["crps"] for name, told in one.forecasts.items()}
    paired = tally.at("2021", "halftime", 18, "crps", MODEL, "ridge")
    wanted = loss[MODEL] - loss["ridge"]
    assert paired.mean == pytest.approx(wanted.mean())
    assert paired.standard_error == pytest.approx(wanted.std(ddof=1) / np.sqrt(COUNT))
    assert tally.at("2021", "halftime", 18, "crps", "ridge", PERSISTENCE).count == COUNT


def test_groups_hold_the_seasons_they_name(tally: Tally) -> None:
    assert tally.at(ALL, "halftime", 18, "ae", MODEL).count == 3 * COUNT
    assert tally.at(RECENT, "halftime", 18, "ae", MODEL).count == 2 * COUNT
    leads = [
        tally.at(f"lead {name}", "halftime", 18, "ae", MODEL).count
        for name in ("0-2", "3-5", "6-9", "10-14", "15-19", "20+")
    ]
    assert sum(leads) == 3 * COUNT
    margins = np.concatenate([np.abs(cell(season).margin) for season in (2020, 2021, 2022)])
    assert leads[2] == ((margins >= 6) & (margins <= 9)).sum()


def test_bins_count_every_game_once(tally: Tally) -> None:
    assert tally.pit["halftime", 18, MODEL].sum() == 3 * COUNT
    games, promised, won = tally.reliability[36, MODEL]
    assert games.sum() == 3 * COUNT
    assert (won <= games).all()
    assert (promised <= games).all()


def test_relative_is_in_per_cent_of_persistence(tally: Tally) -> None:
    found = relative(tally, ALL, "halftime", 18, MODEL)
    one, base = (tally.at(ALL, "halftime", 18, "ae", name).mean for name in (MODEL, PERSISTENCE))
    assert found.mean == pytest.approx(100 * (one / base - 1))
    assert found.mean < 0 < found.standard_error


def test_deviations_are_in_points(tally: Tally) -> None:
    found = deviations(tally, "halftime", 90)
    assert found == {
        (ALL, 18): pytest.approx(100 * tally.at(ALL, "halftime", 18, "cover90", MODEL).mean - 90)
    }
    assert abs(found[ALL, 18]) < 4


def test_verdicts() -> None:
    one = cell(3)
    middle = float(np.mean(one.actual - one.margin))
    # As far below the middle of the outcomes as ridge is above it, and a trifle more.
    as_bad_as_ridge = 2 * middle - 3.0 - 1.0 - 0.02
    for bias, verdict in (
        (0.0, "reached"),
        (as_bad_as_ridge, "within noise"),
        (9.0, "not reached"),
    ):
        tally = Tally()
        tally.add(2021, "halftime", cell(3, bias=bias))
        (crps,) = [goal for goal in goals(tally) if goal.name.startswith("CRPS")]
        assert crps.verdict == verdict
        briers = {goal.verdict for goal in goals(tally) if goal.name.startswith("Brier")}
        assert briers == {"not measured"}
